"""Keras's names: snake case from class names, and numbers where a name is taken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_used: Counter[str] = Counter()
_counted = ContextVar("counted", default=True)


def to_snake_case(name: str) -> str:
    """Turn a class name into snake case.

    Example:
        >>> to_snake_case("SimpleRNN"), to_snake_case("LSTM"), to_snake_case("InputLayer")
        ('simple_rnn', 'lstm', 'input_layer')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(class_name: str) -> str:
    """Return a name for a new object: `lstm`, then `lstm_1`, `lstm_2` and so on."""
    name = to_snake_case(class_name)
    number = _used[name]
    if _counted.get():
        _used[name] += 1
    return f"{name}_{number}" if number else name


def number_of(prefix: str = "") -> int:
    """Return the next number for a prefix, as `keras.backend.get_uid`: 1, then 2 and so on.

    Args:
        prefix: What stands before the number.
    """
    _used[f"uid of {prefix}"] += 1
    return _used[f"uid of {prefix}"]


def reset_names() -> None:
    """Forget the names in use: the next LSTM is `lstm` again."""
    _used.clear()


@contextmanager
def names_not_counted() -> Iterator[None]:
    """Within the `with` block, `auto_name` uses no name up.

    For objects that are made to look at and dropped: the next one gets the name that Keras gives.
    """
    token = _counted.set(False)
    try:
        yield
    finally:
        _counted.reset(token)
