"""Checks of arguments, and helpers for constructors that take Keras's many."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def own_arguments(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return a constructor's arguments from its `locals()`, without `self` and `kwargs`.

    A constructor that hands all its arguments on would otherwise list each name three times, and
    a swapped pair would go unnoticed.
    """
    return {
        key: value for key, value in scope.items() if key not in ("self", "kwargs", "__class__")
    }


def refuse_unsupported(
    owner: str, arguments: Mapping[str, Any], defaults: Mapping[str, Any]
) -> None:
    """Refuse arguments of Keras that fastrnn does not implement, unless they ask for nothing.

    Args:
        owner: Name of the class or function, for the message.
        arguments: What the caller gave.
        defaults: Name and default of each argument that is not implemented.

    Raises:
        ValueError: If one of them is neither absent nor at its default.
    """
    for name, default in defaults.items():
        value = arguments.get(name, default)
        if value is default or (np.isscalar(value) and value == default):
            continue
        raise ValueError(
            f"`{name}` of {owner} is not supported yet: leave it at {default!r}. "
            f"Received: {name}={value!r}"
        )


def refuse_unknown(owner: str, unknown: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse keyword arguments that do not exist, and name those that look alike.

    Raises:
        ValueError: If `unknown` is not empty.
    """
    known = list(known)
    for name, value in unknown.items():
        alike = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean `{alike[0]}`?" if alike else ""
        raise ValueError(
            f"{owner} got an argument that it does not know.{hint} Received: {name}={value!r}"
        )


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer of Python or NumPy, and not a boolean."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def check_integer(argument: str, value: Any, low: int) -> int:
    """Return an argument as an int.

    Raises:
        ValueError: If it is not an integer of at least `low`.
    """
    if is_integer(value) and int(value) >= low:
        return int(value)
    kind = "a positive integer" if low == 1 else f"an integer >= {low}"
    raise ValueError(f"`{argument}` must be {kind}. Received: {argument}={value!r}")


def positive_integer(argument: str, value: Any) -> int:
    """Return an argument as an int.

    Raises:
        ValueError: If it is not an integer above 0.
    """
    return check_integer(argument, value, 1)


def check_seed(value: Any) -> int | None:
    """Return a seed as an int, or None if there is none.

    Raises:
        ValueError: If it is neither an integer nor None.
    """
    if value is None:
        return None
    if not is_integer(value):
        raise ValueError(f"`seed` must be an integer or None. Received: seed={value!r}")
    return int(value)


def check_number(
    argument: str, value: Any, low: float = -math.inf, high: float = math.inf
) -> float:
    """Return a constructor argument as a float.

    Raises:
        ValueError: If it is not a number in [low, high], or not finite.
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
        ValueError: If it is not a finite number above 0.
    """
    if check_number(argument, value) > 0.0:
        return float(value)
    raise ValueError(f"`{argument}` must be a number > 0.0. Received: {argument}={value!r}")
