"""Copies of models with new weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastrnn.arguments import refuse_unknown, refuse_unsupported
from fastrnn.layers.input_layer import InputLayer
from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import own_classes, serialize
from fastrnn.layers.vocabulary_layer import copy_vocabularies
from fastrnn.models.model import Model
from fastrnn.models.sequential import Sequential
from fastrnn.symbolic import map_structure
from fastrnn.utils.custom_objects import custom_object_scope


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Any = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """Return a model of the same layers with new weights, not compiled.

    Args:
        model: A Sequential or functional model; or one of a class of your own, by its config.
        input_tensors: Not supported.
        clone_function: Function of a layer that returns the one for the new model; by default
            one of the same config.
        call_function: Not supported.
        recursive: Whether `clone_function` also makes the layers of models among the layers.
        **kwargs: None.

    Returns:
        The new model, of the same name.

    Raises:
        ValueError: If it is not a model, or an argument is not supported.

    Example:
        >>> from fastrnn import layers
        >>> model = Sequential([layers.Input((5, 2)), layers.GRU(3)])
        >>> clone_model(model).count_params()
        63
    """
    given = {"input_tensors": input_tensors, "call_function": call_function}
    refuse_unsupported("clone_model", given, dict.fromkeys(given))
    refuse_unknown("clone_model", kwargs, inspect.signature(clone_model).parameters)
    if not isinstance(model, Model):
        raise ValueError(f"`model` must be a model. Received: model={model!r}")
    if model.is_free:
        if clone_function is not None:
            raise ValueError(
                "`clone_function` needs a model of inputs and outputs, or a Sequential. "
                f"Received: model '{model.name}' of class {type(model).__name__}"
            )
        made: Any = _same_config(model)
        return _with_flag_of(model, made)
    clone = _same_config if clone_function is None else clone_function
    if not isinstance(model, Sequential):
        return _functional_clone(model, clone, clone_function, recursive)
    layers: list[Layer] = []
    if model.input_layer is not None:
        layers.append(_same_config(model.input_layer))
    elif model.built:
        dtype = "string" if model.takes_texts else None
        layers.append(InputLayer(batch_shape=model.input_shape, dtype=dtype))
    for layer in model.layers:
        if recursive and isinstance(layer, Model):
            layers.append(clone_model(layer, clone_function=clone_function, recursive=True))
        else:
            layers.append(clone(layer))
    return _with_flag_of(model, Sequential(layers, name=model.name))


def _functional_clone(
    model: Model,
    clone: Callable[[Layer], Layer],
    clone_function: Callable[[Layer], Layer] | None,
    recursive: bool,
) -> Model:
    """Return a functional model whose layers are called as those of another."""
    graph = model.inner_graph
    clones: dict[int, Layer] = {}
    for layer in graph.members:
        if isinstance(layer, InputLayer):
            clones[id(layer)] = _same_config(layer)
        elif recursive and isinstance(layer, Model):
            clones[id(layer)] = clone_model(layer, clone_function=clone_function, recursive=True)
        else:
            clones[id(layer)] = clone(layer)
    inputs = map_structure(
        lambda tensor: clones[id(tensor.node.layer)].output, graph.input_structure
    )
    outputs = graph.replay(inputs, lambda layer: clones[id(layer)])
    return _with_flag_of(model, Model(inputs, outputs, name=model.name))


def _with_flag_of(model: Model, clone: Model) -> Model:
    """Freeze a clone itself if its model is; its layers have flags of their own."""
    clone._trainable = model.trainable
    return clone


def _same_config(layer: Layer) -> Layer:
    """Return a layer of the same class and config; a user's classes are those of the layer."""
    with custom_object_scope(own_classes(layer)):
        made = type(layer).from_config(serialize(layer)["config"])
    copy_vocabularies(layer, made)
    return made
