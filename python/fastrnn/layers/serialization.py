"""Layers and models as plain values and back: which class a config names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastrnn.compatibility.unsupported import reason_for, refuse
from fastrnn.layers.arguments import plain_value
from fastrnn.layers.layer import Layer
from fastrnn.layers.overrides import is_of_fastrnn
from fastrnn.utils import registry
from fastrnn.utils.custom_objects import find_custom_object, name_in

LayerClass = TypeVar("LayerClass", bound=type[Layer])

_CLASSES: dict[str, type[Layer]] = {}
_MODULES: dict[type[Layer], str] = {}


def serializable(module: str) -> Callable[[LayerClass], LayerClass]:
    """Return a decorator that makes a class of fastrnn known to `deserialize`, by its name.

    A class of a user is not registered, but handed over where a config names it: see
    `saving.custom_object_scope`.

    Args:
        module: Keras's module of the class, such as `"keras.layers"`.

    Raises:
        ValueError: By the decorator, if another class has the name.
    """

    def register(cls: LayerClass) -> LayerClass:
        known = _CLASSES.setdefault(cls.__name__, cls)
        if known is not cls:
            raise ValueError(
                f"A class {cls.__name__} is known already: {known!r}. Received: {cls!r}"
            )
        _MODULES[cls] = module
        return cls

    return register


def serialize(layer: Layer) -> dict[str, Any]:
    """Return the config dict of a layer or model, in Keras's form.

    Args:
        layer: A layer or model.

    Returns:
        Dict of plain values with `class_name` and `config`, without weights, from which
        `deserialize` makes such a layer.

    Example:
        >>> from fastrnn.layers import Dropout
        >>> serialize(Dropout(0.5, name="drop"))["config"]["rate"]
        0.5
    """
    return registry.serialize(layer, _MODULES.get(type(layer), "keras.layers"))


def class_named(name: Any) -> type[Layer]:
    """Return the class that a config calls so: that of a `custom_object_scope` or of fastrnn.

    Raises:
        ValueError: If there is none; the message says why Keras's is not supported.
    """
    cls = (find_custom_object(name) or _CLASSES.get(name)) if isinstance(name, str) else None
    if cls is None:
        if isinstance(name, str) and reason_for("layers", name) is not None:
            refuse("layers", name)
        raise ValueError(
            f"`class_name` must be one of {', '.join(sorted(_CLASSES))}. Received: {name!r}"
        )
    return cls


def deserialize(config: dict[str, Any]) -> Layer:
    """Make a layer or model, without weights, from the result of `serialize` (Keras's works too).

    Args:
        config: Dict with `class_name` and `config`.

    Returns:
        The layer.

    Raises:
        ValueError: If the config names no layer of fastrnn.

    Example:
        >>> from fastrnn.layers import LSTM
        >>> deserialize(serialize(LSTM(3))).units
        3
    """
    return class_named(name_in(config)).from_config(config["config"])


def deserialize_all(configs: Sequence[dict[str, Any]]) -> list[Layer]:
    """Make the layers of a model from their configs.

    Raises:
        ValueError: If one is not valid; the message says which one.
    """
    layers = []
    for number, config in enumerate(configs):
        try:
            layers.append(deserialize(config))
        except Exception as error:
            problem = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            raise ValueError(f"{_described(number, config)}: {problem}{error}") from error
    return layers


def _described(number: int, config: Any) -> str:
    own = config.get("config") if isinstance(config, dict) else None
    if not isinstance(own, dict):
        return f"layer {number}"
    return f"layer {number} '{own.get('name', '')}' of class {config.get('class_name')}"


def own_classes(layer: Layer) -> dict[str, type[Layer]]:
    """Return a user's classes among the layers inside, by the names that configs have for them.

    Args:
        layer: A layer or model.
    """
    found: dict[str, type[Layer]] = {}
    for inside in layer._sublayers():
        found |= own_classes(inside)
        if not is_of_fastrnn(type(inside)):
            found[type(inside).__name__] = type(inside)
    return found


def constructor_config(layer: Layer, base: type[Layer]) -> dict[str, Any]:
    """Return the arguments of a constructor that are attributes, those that are layers as configs.

    Where the class overrides `get_config`, and calls this from there, only what all layers have.

    Args:
        layer: A layer or model of a user's class.
        base: The class of fastrnn below it.

    Raises:
        ValueError: If an argument is not an attribute.
    """
    parameters = inspect.signature(type(layer).__init__).parameters
    takes_rest = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    shared = {
        name: value
        for name, value in layer._shared_config().items()
        if takes_rest or name in parameters
    }
    if type(layer).get_config is not base.get_config:
        return shared
    no_values = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    names = [
        name
        for name, each in list(parameters.items())[1:]
        if each.kind not in no_values and name not in shared
    ]
    if missing := [name for name in names if not hasattr(layer, name)]:
        raise ValueError(
            f"`get_config` of {type(layer).__name__} must be overridden, or the model must keep "
            f"the arguments of its constructor as attributes. Received: no attribute {missing}"
        )
    return shared | {name: _plain(getattr(layer, name)) for name in names}


def _plain(value: Any) -> Any:
    return serialize(value) if isinstance(value, Layer) else plain_value(value)


def with_layers(config: dict[str, Any]) -> dict[str, Any]:
    """Return a config in which the configs of layers are these layers.

    Args:
        config: Arguments of a constructor.
    """
    return {key: deserialize(each) if _is_layer(each) else each for key, each in config.items()}


def _is_layer(value: Any) -> bool:
    """Return whether a value is the config of a layer."""
    if not isinstance(value, dict) or not {"class_name", "config"} <= value.keys():
        return False
    try:
        return issubclass(class_named(name_in(value)), Layer)
    except (TypeError, ValueError):
        return False
