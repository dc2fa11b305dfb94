"""Classes and functions of the user that configs may name, besides those of fastrnn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Object = TypeVar("Object")

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
    found = known.get(name, known.get(name.rpartition(">")[2]))
    return _registered.get(name) if found is None else found


_registered: dict[str, Any] = {}  # classes and functions by the names that files have for them
_names: dict[Any, str] = {}  # these names by the objects


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Object], Object]:
    """Return a decorator that lets files and configs name a class or function of yours.

    `load_model` then finds it without `custom_objects`. A file still holds the name alone, and only
    what your program has registered is found.

    Args:
        package: What stands before the name, so that two packages may have classes of one name.
        name: The name; that of the class or function by default.

    Returns:
        The decorator.

    Raises:
        ValueError: By the decorator, if a class has no `get_config`, or another object has the
            name.

    Example:
        >>> import fastrnn
        >>> @fastrnn.utils.register_keras_serializable("shop")
        ... class Doubled(fastrnn.layers.Layer):
        ...     def call(self, inputs):
        ...         return 2 * inputs
        >>> get_registered_name(Doubled)
        'shop>Doubled'
        >>> config = fastrnn.layers.serialize(Doubled())
        >>> type(fastrnn.layers.deserialize(config)) is Doubled
        True
    """

    def register(item: Object) -> Object:
        if isinstance(item, type) and not hasattr(item, "get_config"):
            raise ValueError(
                "A class must have a method `get_config` to be registered. "
                f"Received: class {item.__name__}"
            )
        own: Any = item
        full = f"{package}>{name or own.__name__}"
        # A script that runs again, as in a notebook, defines its classes again.
        before = _registered.get(full)
        if before is not None and _origin(before) != _origin(own):
            raise ValueError(f"'{full}' is registered already, for {before!r}. Received: {own!r}")
        _registered[full] = own
        _names[own] = full
        return item

    return register


def get_custom_objects() -> dict[str, Any]:
    """Return the dict of all classes and functions that files and configs may name.

    What a script puts into it is found by its key, as if it were registered.

    Returns:
        The dict itself.

    Example:
        >>> get_custom_objects().update({"half": lambda x: x / 2})
        >>> "half" in get_custom_objects()
        True
    """
    return _registered


def _origin(item: Any) -> tuple[str, str]:
    return item.__module__, item.__qualname__


def get_registered_name(obj: Any) -> str:
    """Return the name under which a class or function is registered, else its own name.

    Args:
        obj: A class or function.

    Returns:
        The name; a registered one has its package before a `>`.

    Example:
        >>> get_registered_name(len)
        'len'
    """
    own: str = _names.get(obj) or obj.__name__
    return own


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the class or function of a name, or None.

    Args:
        name: The name, with the package before a `>`.
        custom_objects: Objects by their names, looked at before those that are registered.
        module_objects: Further ones, looked at last.

    Returns:
        The class or function, or None.

    Example:
        >>> get_registered_object("nobody>Nothing") is None
        True
    """
    for known in (custom_objects or {}, {**_registered, **_known.get({})}, module_objects or {}):
        if name in known:
            return known[name]
    return None


def name_in(config: Mapping[str, Any]) -> Any:
    """Return by which name to look for the class of a config: that of a registered class if it is.

    Args:
        config: A config with `class_name`.
    """
    registered = config.get("registered_name")
    is_known = isinstance(registered, str) and registered in _registered
    return registered if is_known else config.get("class_name", "")
