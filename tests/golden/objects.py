"""Objects as plain values in Keras's form, and back into objects of either library."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any


def described(module: str) -> Callable[..., dict[str, Any]]:
    """Return what writes down an object of a module: its class and its arguments."""

    def write(class_name: str, **config: Any) -> dict[str, Any]:
        return {"module": module, "class_name": class_name, "config": config}

    return write


layer = described("keras.layers")
loss = described("keras.losses")
metric = described("keras.metrics")
optimizer = described("keras.optimizers")
schedule = described("keras.optimizers.schedules")
regularizer = described("keras.regularizers")
constraint = described("keras.constraints")
initializer = described("keras.initializers")


def is_object(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value


def keras_object(value: dict[str, Any]) -> Any:
    """Make Keras's object."""
    config = copy.deepcopy(value["config"])  # Keras takes cells out of it
    made = getattr(importlib.import_module(value["module"]), value["class_name"]).from_config(
        config
    )
    if value["class_name"] == "SimpleRNN" and config.get("activity_regularizer"):
        # Keras 3.15.1 drops this argument of SimpleRNN.
        made.activity_regularizer = keras_object(config["activity_regularizer"])
    return made


def fastrnn_object(value: dict[str, Any]) -> Any:
    """Make fastrnn's object, by the `deserialize` of its module."""
    module = importlib.import_module(value["module"].replace("keras", "fastrnn", 1))
    return module.deserialize(value)


def completed(row: Any) -> Any:
    """Return plain values in which Keras has written out the config of every object.

    Of some objects Keras 3.15.1 forgets arguments or writes what it cannot read; they stay as they
    are.
    """
    import keras

    def write(value: Any) -> Any:
        if is_object(value):
            written = plain(keras.saving.serialize_keras_object(keras_object(value)))
            return written if _is_whole(value, written) else value
        if isinstance(value, dict):
            return {key: write(each) for key, each in value.items()}
        return [write(each) for each in value] if isinstance(value, (list, tuple)) else value

    keras.utils.clear_session()  # names are numbered anew
    return plain(write(row))


def _is_whole(value: dict[str, Any], written: dict[str, Any]) -> bool:
    try:
        keras_object(written)
    except ValueError:
        return False
    return _keeps(value, written)


def _keeps(value: dict[str, Any], written: dict[str, Any]) -> bool:
    """Whether each argument has a place in the config, those of objects inside too."""
    given, kept = value["config"], written["config"]
    return given.keys() <= kept.keys() and all(
        _keeps(each, kept[key])
        for key, each in given.items()
        if is_object(each) and is_object(kept[key])
    )


def plain(value: Any) -> Any:
    """Return what JSON makes of values: lists for tuples."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def each_object(value: Any) -> list[dict[str, Any]]:
    """Return all objects in plain values, those inside others too."""
    found = [value] if is_object(value) else []
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list, tuple)):
        for each in inside:
            found += each_object(each)
    return found
