"""Classes and functions of the user that configs may name, besides those of fastrnn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_known: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects")


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Let configs name further objects within a `with` block.

    Nothing that a config names is ever imported, so you must pass your own classes here.

    Args:
        custom_objects: Classes and functions by their names in configs; None for no objects.

    Raises:
        ValueError: If it is not a mapping from strings.

    Example:
        >>> from fastrnn import layers
        >>> class Doubled(layers.Dense):
        ...     pass
        >>> with custom_object_scope({"Doubled": Doubled}):
        ...     layer = layers.deserialize({"class_name": "Doubled", "config": {"units": 2}})
        >>> type(layer).__name__
        'Doubled'
    """
    given = {} if custom_objects is None else custom_objects
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ValueError(
            "`custom_objects` must be a dict of classes and functions by name. "
            f"Received: custom_objects={custom_objects!r}"
        )
    before = _known.set({**_known.get({}), **given})
    try:
        yield
    finally:
        _known.reset(before)


def find_custom_object(name: str) -> Any:
    """Return the object of this name from the scopes around the call, or None.

    Args:
        name: Name of a class or function; a package before `>`, as Keras registers classes, may
            be left out of the scope's names.
    """
    known = _known.get({})
    return known.get(name, known.get(name.rpartition(">")[2]))
