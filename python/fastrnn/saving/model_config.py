"""Models as plain values and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastrnn.files.errors import error_context
from fastrnn.layers.serialization import class_named, serialize
from fastrnn.saving.compile_config import compile_config, compile_from_config
from fastrnn.saving.old_configs import (
    is_before_keras_3,
    layer_config,
    unwrapped,
    with_old_meanings,
)
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.utils.custom_objects import custom_object_scope, name_in


def model_config(model: CompiledModel) -> dict[str, Any]:
    """Return layers and compile settings of a model, as Keras writes them into `config.json`."""
    config = serialize(model)
    shape = config["config"].get("build_input_shape")
    if model.is_own_call:
        shape = model._build_shape
    if shape is not None:
        config["build_config"] = {"input_shape": shape}
    if (compiled := compile_config(model)) is not None:
        config["compile_config"] = compiled
    plain_values: dict[str, Any] = json.loads(json.dumps(config, default=_plain_number))
    with_own: dict[str, Any] = _with_own_functions(plain_values)
    return with_own


def _with_own_functions(config: Any) -> Any:
    """Write an activation that Keras lacks in Keras's form of a function in `custom_objects`."""
    if isinstance(config, list):
        return [_with_own_functions(each) for each in config]
    if not isinstance(config, dict):
        return config
    made = {key: _with_own_functions(each) for key, each in config.items()}
    for key in ("activation", "recurrent_activation"):
        if made.get(key) == "hard_sigmoid_keras2":
            made[key] = {
                "module": "builtins",
                "class_name": "function",
                "config": made[key],
                "registered_name": "function",
            }
    return made


def _plain_number(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"A config must hold plain values. Received: {value!r}")


def model_from_config(config: Any, source: str, place: str, compile: bool = True) -> Any:
    """Make a model from the result of `model_config`, or from Keras's of any version.

    Nothing is imported: a class is found by its name among those of fastrnn and of
    `custom_object_scope`, or not at all.

    Args:
        config: Dict with `class_name`, `config` and possibly `compile_config` and
            `keras_version`, the version that wrote it.
        source: Name of the file that it is from, for messages.
        place: Where it stands in there.
        compile: Whether to compile the model.

    Raises:
        InvalidFileError: If it is not a valid config, or something in it is not supported.
    """
    with error_context(source, place):
        config = layer_config(unwrapped(config))
        if is_before_keras_3(config.get("keras_version")):
            config = with_old_meanings(config)
        cls = class_named(name_in(config))
        if not issubclass(cls, CompiledModel):
            raise ValueError(
                "the model must be a Sequential or a functional one. "
                f"Received: class_name={config['class_name']!r}"
            )
        model = cls.from_config(config["config"])
        shape = (config.get("build_config") or {}).get("input_shape")
        if model.is_own_call and not model.built and shape is not None:
            model.build(shape)
    if compile and config.get("compile_config"):
        with error_context(source, f"{place}, compile_config"):
            compile_from_config(model, config["compile_config"])
    return model


def to_json(model: CompiledModel, **kwargs: Any) -> str:
    """Return the config of a model as JSON text."""
    return json.dumps(model_config(model), **kwargs)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Make a model, with new weights, from the result of `to_json` (Keras's works too).

    Args:
        json_string: The text.
        custom_objects: Classes and functions of your own that it names.

    Returns:
        The model; compiled if the text has compile settings.

    Raises:
        TypeError: If it is not a string.
        ValueError: If it is not a config of a model, or something in it is not supported.

    Example:
        >>> from fastrnn import Sequential, layers
        >>> model = Sequential([layers.Input((5, 2)), layers.GRU(3)])
        >>> model_from_json(model.to_json()).count_params()
        63
    """
    if not isinstance(json_string, str):
        raise TypeError(f"`json_string` must be a string. Received: {type(json_string).__name__}")
    with error_context("", "`json_string`"):
        config = json.loads(json_string)
    with custom_object_scope(custom_objects):
        return model_from_config(config, "", "`json_string`")
