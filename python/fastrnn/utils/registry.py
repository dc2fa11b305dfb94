"""Classes by name: what `optimizers.get`, `losses.get` and `metrics.get` share."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, Generic, TypeVar

from fastrnn.compatibility.unsupported import reason_for, refused_name
from fastrnn.naming import to_snake_case
from fastrnn.utils.custom_objects import find_custom_object, get_registered_name, name_in

Base = TypeVar("Base")


class Registry(Generic[Base]):
    """Makes objects of one kind from names, classes, configs or objects.

    Args:
        kind: What the objects are, for messages, such as `"optimizer"`.
        base: Class of the objects.
        names: The class that each accepted name stands for.
        ignore_case: Whether `"Adam"`, `"adam"` and `"ADAM"` are one name.
        namespace: Module below `keras`, for the names of Keras that are not supported.

    Example:
        >>> registry = Registry("number", int, {"zero": int})
        >>> registry.get("zero"), registry.get(7)
        (0, 7)
    """

    def __init__(
        self,
        kind: str,
        base: type[Base],
        names: Mapping[str, type[Base]],
        ignore_case: bool = False,
        namespace: str = "",
    ) -> None:
        self._namespace = namespace
        self._kind = kind
        self._base = base
        self._ignore_case = ignore_case
        self._names = {self._key(name): cls for name, cls in names.items()}

    def _key(self, name: str) -> str:
        return name.lower() if self._ignore_case else name

    def get(self, identifier: Any) -> Base:
        """Return the object that `identifier` stands for.

        Args:
            identifier: An object (returned as it is), its class, a name, a config dict with the
                keys `class_name` and `config`, or an object of Keras, which stands for its config.

        Returns:
            An object of the registry's kind.

        Raises:
            ValueError: If `identifier` is not one of these, or its name is not known.
        """
        if isinstance(identifier, self._base):
            return identifier
        if isinstance(identifier, type) and issubclass(identifier, self._base):
            return identifier()
        if isinstance(identifier, str):
            return self._named(identifier)()
        identifier = config_of_keras(identifier)
        if isinstance(identifier, Mapping) and isinstance(identifier.get("class_name"), str):
            return self._named(name_in(identifier))(**identifier.get("config", {}))
        raise ValueError(
            f"Could not interpret {self._kind} identifier: expected a name, a config or a "
            f"`{self._base.__name__}`. Received: {identifier!r}"
        )

    def knows(self, name: Any) -> bool:
        """Tell whether something is one of the names.

        Args:
            name: Anything.
        """
        return isinstance(name, str) and self._key(name) in self._names

    def _named(self, name: str) -> type[Base]:
        custom = find_custom_object(name)
        if isinstance(custom, type) and issubclass(custom, self._base):
            return custom
        cls = self._names.get(self._key(name))
        if cls is None:
            refused = refused_name(self._namespace, name)
            if refused is not None:
                raise ValueError(
                    f"Keras has the {self._kind} {refused!r}, and fastrnn does not: "
                    f"{reason_for(self._namespace, refused)}. Known: {self._known()}."
                )
            close = difflib.get_close_matches(self._key(name), self._names, n=3)
            hint = f"Did you mean {', '.join(close)}?" if close else f"Known: {self._known()}."
            raise ValueError(
                f"Could not interpret {self._kind} identifier. {hint} Received: {name!r}"
            )
        return cls

    def _known(self) -> str:
        return ", ".join(sorted(self._names))


def config_of_keras(identifier: Any) -> Any:
    """Return what stands for an object of Keras: its config dict; for a function its name.

    Such objects come from programs that make them of names, as scikeras does. They bring their
    settings along, but not what an optimizer keeps from step to step.

    Args:
        identifier: Anything; what is not of Keras is returned as it is.
    """
    source = identifier if isinstance(identifier, FunctionType) else type(identifier)
    if source.__module__.partition(".")[0] != "keras":
        return identifier
    if source is identifier:
        return source.__name__
    if not hasattr(identifier, "get_config"):
        return identifier
    # Keras 3.15 leaves the `delta` of a Huber loss out of its config.
    config = {**getattr(identifier, "_fn_kwargs", {}), **identifier.get_config()}
    return {"class_name": source.__name__, "config": config}


def function_of(identifier: Any) -> Callable[..., Any] | None:
    """Return the function that stands for a loss or metric, or None if something else does.

    Args:
        identifier: A function; or the name of one among the custom objects, or Keras's config of
            it.
    """
    if isinstance(identifier, Mapping) and identifier.get("class_name") == "function":
        identifier = identifier.get("config")
    if isinstance(identifier, str):
        identifier = find_custom_object(identifier)
    if (
        isinstance(identifier, type)
        or not callable(identifier)
        or hasattr(identifier, "get_config")
    ):
        return None
    function: Callable[..., Any] = identifier
    return function


def in_both_cases(classes: Iterable[type[Base]]) -> dict[str, type[Base]]:
    """Return classes by their names, and by their names in snake case: Keras knows both."""
    return {name(cls.__name__): cls for cls in classes for name in (str, to_snake_case)}


def serialize(item: Any, module: str) -> dict[str, Any]:
    """Return the config dict of an object, in Keras's form.

    Args:
        item: Object with a `get_config` method.
        module: Keras's module of its class, such as `"keras.optimizers"`.

    Returns:
        Dict from which the `get` of the same kind makes an equal object. For an object of a user's
        class it names that class and its module, so that Keras looks for it among the custom
        objects too.
    """
    cls = type(item)
    of_user = cls.__module__.partition(".")[0] != "fastrnn"
    return {
        "module": cls.__module__ if of_user else module,
        "class_name": cls.__name__,
        "config": item.get_config(),
        "registered_name": get_registered_name(cls) if of_user else None,
    }
