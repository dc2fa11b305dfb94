"""Arguments that layers share."""

from __future__ import annotations

from typing import Any

from fastrnn import activations, constraints, initializers, regularizers


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


def integers_or_none(name: str, value: Any) -> tuple[int, ...] | None:
    """Return an integer, or a list of them, as a tuple; None for None.

    Raises:
        ValueError: If it is neither.
    """
    if value is None:
        return None
    given = list(value) if isinstance(value, (list, tuple)) else [value]
    if not all(type(each) is int for each in given):
        raise ValueError(
            f"`{name}` must be an integer, a list of them, or None. Received: {name}={value!r}"
        )
    return tuple(given)


def plain_value(value: Any) -> Any:
    """Return an argument as the plain value that stands for it in a config."""
    if isinstance(value, initializers.Initializer):
        return initializers.serialize(value)
    if isinstance(value, regularizers.Regularizer):
        return regularizers.serialize(value)
    if isinstance(value, constraints.Constraint):
        return constraints.serialize(value)
    return activations.serialize(value) if callable(value) else value


def drawn_anew(value: Any) -> Any:
    """Return an initializer of the same arguments, which draws other numbers without a seed."""
    if isinstance(value, initializers.Initializer):
        return type(value).from_config(value.get_config())
    return value
