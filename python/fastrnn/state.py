"""The state of an object as plain values, which a file can hold, and back."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastrnn.results import without_numpy

_OBJECT = "state of an object"


def is_code(value: Any) -> bool:
    """Return whether a value is a function, class or module: what a program has without a file."""
    is_named = callable(value) and hasattr(value, "__name__")
    return is_named or isinstance(value, (types.ModuleType, functools.partial))


def get_attributes(owner: object, names: Iterable[str]) -> dict[str, Any]:
    """Return copies of some attributes of an object, as plain values.

    Plain are None, booleans, numbers, strings and NumPy arrays, in lists, tuples and dicts. An
    object that has `get_state` and `set_state` stands for its state, and so does a generator of
    NumPy's random numbers.

    Args:
        owner: The object.
        names: The attributes.

    Raises:
        TypeError: If one of them holds something else; the message names it.

    Example:
        >>> from types import SimpleNamespace
        >>> get_attributes(SimpleNamespace(seen=[1, 2], limit=5), ["seen"])
        {'seen': [1, 2]}
    """
    return {name: _plain(getattr(owner, name), name, owner) for name in names}


def set_attributes(owner: object, state: Mapping[str, Any]) -> None:
    """Set attributes to copies of what `get_attributes` returned.

    Raises:
        ValueError: If an object of which the state was kept is not there.
    """
    for name, value in state.items():
        setattr(owner, name, _restored(getattr(owner, name, None), value, name, owner))


def generators_of(owner: object) -> list[str]:
    """Return the names of an object's attributes that are generators of random numbers."""
    attributes = getattr(owner, "__dict__", {}).items()
    return [name for name, value in attributes if isinstance(value, np.random.Generator)]


def has_state(value: Any) -> bool:
    """Return whether an object has the methods `get_state` and `set_state`."""
    methods = (getattr(value, name, None) for name in ("get_state", "set_state"))
    return not isinstance(value, type) and all(map(callable, methods))


def is_plain_array(value: Any) -> bool:
    """Return whether a value is an array or scalar of NumPy without masks, units or objects."""
    return (
        type(value) is np.ndarray or isinstance(value, np.generic)
    ) and not value.dtype.hasobject


def _plain(value: Any, place: str, owner: object) -> Any:
    value = without_numpy(value)
    if value is None or type(value) in (bool, int, float, str):
        return value
    if is_plain_array(value):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(_plain(each, f"{place}[{i}]", owner) for i, each in enumerate(value))
    if type(value) is dict and all(type(key) in (int, str) for key in value):
        return {key: _plain(each, f"{place}[{key!r}]", owner) for key, each in value.items()}
    if isinstance(value, np.random.Generator):
        return {_OBJECT: value.bit_generator.state}
    if has_state(value):
        return {_OBJECT: value.get_state()}
    raise TypeError(
        f"The state of {owner!r} cannot be kept: its attribute `{place}` must hold None, booleans, "
        "numbers, strings or NumPy arrays, in lists, tuples and dicts, or objects with `get_state` "
        f"and `set_state`; else {type(owner).__name__} needs these two methods. "
        f"Received: {value!r} (of type {type(value).__name__})"
    )


def _restored(own: Any, value: Any, place: str, owner: object) -> Any:
    """Return a value in which objects are those that stood there, with their states set."""
    if type(value) is dict and list(value) == [_OBJECT]:
        if isinstance(own, np.random.Generator):
            own.bit_generator.state = value[_OBJECT]
        elif has_state(own):
            own.set_state(value[_OBJECT])
        else:
            raise ValueError(
                f"The state of {owner!r} does not fit: its attribute `{place}` must be an object "
                f"with `set_state`, as it was. Received: {own!r}"
            )
        return own
    if type(value) in (list, tuple):
        parts = list(own) if type(own) is type(value) else []
        parts += [None] * (len(value) - len(parts))
        return type(value)(
            _restored(parts[i], each, f"{place}[{i}]", owner) for i, each in enumerate(value)
        )
    if type(value) is dict:
        parts_by_key = own if type(own) is dict else {}
        return {
            key: _restored(parts_by_key.get(key), each, f"{place}[{key!r}]", owner)
            for key, each in value.items()
        }
    return value.copy() if isinstance(value, np.ndarray) else value
