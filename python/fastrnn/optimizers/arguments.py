"""Checks of the arguments of optimizers and schedules."""

from __future__ import annotations

import math
import numbers
from typing import Any


def check_number(
    argument: str, value: Any, low: float = -math.inf, high: float = math.inf
) -> float:
    """Return a constructor argument as a float.

    Raises:
        ValueError: If it is no number in [low, high], or not finite.
    """
    number = math.nan
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        number = float(value)
    if not math.isfinite(number) or not low <= number <= high:
        span = f" >= {low}" if math.isinf(high) else f" in [{low}, {high}]"
        if math.isinf(low):
            span = ""
        raise ValueError(f"`{argument}` must be a number{span}. Received: {argument}={value!r}")
    return number


def check_positive(argument: str, value: Any) -> float:
    """Return a constructor argument as a float.

    Raises:
        ValueError: If it is no finite number above 0.
    """
    if check_number(argument, value) > 0.0:
        return float(value)
    raise ValueError(f"`{argument}` must be a number > 0.0. Received: {argument}={value!r}")


def check_integer(argument: str, value: Any, low: int) -> int:
    """Return a constructor argument as an int.

    Raises:
        ValueError: If it is no integer of at least `low`.
    """
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if is_integer and int(value) >= low:
        return int(value)
    raise ValueError(f"`{argument}` must be an integer >= {low}. Received: {argument}={value!r}")
