"""Helpers for constructors that take Keras's many arguments."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastrnn import activations, constraints, initializers, regularizers


def own_arguments(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return a constructor's arguments from its `locals()`, without `self` and `kwargs`.

    A constructor that hands all its arguments on would otherwise list each name three times, and
    a swapped pair would go unnoticed.
    """
    return {
        key: value for key, value in scope.items() if key not in ("self", "kwargs", "__class__")
    }


def refuse_not_built(owner: str, arguments: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
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


def positive_integer(name: str, value: Any) -> int:
    """Return `value` as an int.

    Raises:
        ValueError: If it is no integer above 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    return int(value)


def number_from_zero(name: str, value: Any) -> float:
    """Return `value`, a number that is not negative.

    Raises:
        ValueError: If it is no such number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not value >= 0:
        raise ValueError(f"`{name}` must be a number from 0 on. Received: {name}={value!r}")
    return float(value)


def data_format_of(value: Any) -> str:
    """Return where an array has its features: "channels_last" (also for None) or "channels_first".

    Raises:
        ValueError: If it is neither.
    """
    data_format = "channels_last" if value is None else str(value).lower()
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            "`data_format` must be 'channels_last', 'channels_first' or None. "
            f"Received: data_format={value!r}"
        )
    return data_format


def check_dtype(dtype: Any) -> None:
    """Refuse each `dtype` but float32, its policy and None.

    Raises:
        ValueError: If it is another.
    """
    if isinstance(dtype, dict):  # Keras writes {"class_name": "DTypePolicy", "config": {"name"}}
        dtype = dtype.get("config", {}).get("name")
    if dtype not in (None, "float32", np.float32, np.dtype(np.float32)):
        raise ValueError(f"`dtype` must be 'float32' or None. Received: dtype={dtype!r}")


def plain_value(value: Any) -> Any:
    """Return an argument as the plain value that stands for it in a config."""
    if isinstance(value, initializers.Initializer):
        return initializers.serialize(value)
    if isinstance(value, regularizers.Regularizer):
        return regularizers.serialize(value)
    if isinstance(value, constraints.Constraint):
        return constraints.serialize(value)
    return activations.serialize(value) if callable(value) else value
