"""Calls of layers inside the `call` of a user's layer or model, or within a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.layers.attributes import all_inside, attributes_traced
from fastrnn.layers.calls import Call, entered, running_call, take_extras, warn_of_lost_mask
from fastrnn.layers.overrides import is_of_fastrnn
from fastrnn.layers.traced import as_output, is_array
from fastrnn.results import with_numpy
from fastrnn.symbolic import KerasTensor, flatten, map_shapes, map_structure, pack
from fastrnn.table_gradient import table_gradient
from fastrnn.tensors import has_tensor
from fastrnn.tracing import is_traced, is_tracing, native, plain
from fastrnn.variable import Variable


def call_inside(layer: Any, inputs: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return what a layer makes of arrays, traced or not, within the `call` of another.

    Args:
        layer: The layer.
        inputs: What it is called on.
        args: Further arguments of its call.
        kwargs: Further arguments of its call.
    """
    call = running_call() or Call(None, None)
    if call.layer is None:  # the outermost: what it adds is that of this call alone
        for each in all_inside(layer):
            each._added = []
    y = _called(call, layer, inputs, args, kwargs)
    if is_tracing() or call.layer is not None:
        return y
    shown = with_numpy(y)
    for own, array in zip(flatten(shown), flatten(y), strict=True):
        call.set_mask(own, call.mask_of(array))
    return shown


def _called(
    call: Call, layer: Any, inputs: Any, args: Sequence[Any], kwargs: dict[str, Any]
) -> Any:
    """Return what the layer makes of arrays."""
    if layer.traced is not None and layer.is_own_call:
        return _call_own(call, layer, (inputs, *args), kwargs)
    if layer.takes_traced:
        _build(call, layer, np.shape(plain(inputs)))
        with attributes_traced(layer):  # those that are not yet
            return layer.call(inputs, *args, **kwargs)
    arrays: dict[int, Any] = {}
    symbols: list[KerasTensor] = []

    def symbol(leaf: Any) -> Any:
        if isinstance(leaf, Variable):
            leaf = leaf.current
        if not is_array(leaf):
            return leaf
        tensor = KerasTensor(np.shape(plain(leaf)), name="array")
        arrays[id(tensor)] = leaf
        symbols.append(tensor)  # so that no id is given twice
        return tensor

    inputs, args, kwargs = map_structure(symbol, (inputs, tuple(args), dict(kwargs)))
    if not symbols:
        raise TypeError(
            f"Layer '{layer.name}' must be called on arrays, also inside of a `call`. "
            f"Received: {inputs!r}"
        )
    node = layer._node_of_call(inputs, *args, **kwargs)
    values = [arrays[id(tensor)] for tensor in node.inputs]
    masks = [call.mask_of(value) for value in values]
    if node.masks is not None:
        masks = [
            own if mask is None else np.asarray(plain(arrays[id(mask)]), np.bool_)
            for own, mask in zip(masks, node.masks, strict=True)
        ]
    shapes: Any = [tensor.shape for tensor in node.inputs]
    _build(call, layer, shapes if node.listed else shapes[0])
    training = call.training if node.training is None else node.training
    x, mask = (values, masks) if node.listed else (values[0], masks[0])
    masked = any(each is not None for each in masks)
    if node.listed and not masked:
        mask = None
    to_layer = mask if layer.uses_masks_of_list or node.masks is not None else None
    if not node.listed:
        to_layer = mask
    if layer.inner_graph is not None and _runs_by_nodes(layer):
        y = _by_nodes(call, layer, x, bool(training), mask)
    else:
        embedded = call.embedded(values[0]) if layer.takes_tokens else None
        y = _native(layer, x, bool(training), to_layer, node.options, embedded)
        if layer.hands_tokens and is_of_fastrnn(type(layer)) and np.ndim(plain(y)) == 3:
            call.set_embedded(y, layer.as_input(plain(values[0])), layer.weights[0])
        if layer.inner_graph is not None:
            for leaf, own in zip(flatten(y), take_extras().masks, strict=True):
                call.set_mask(leaf, own)
    if layer.supports_masking:
        above = layer.compute_mask(map_structure(plain, x), mask)
        for leaf, own in zip(flatten(y), flatten(above), strict=False):
            call.set_mask(leaf, own)
    elif masked and layer.inner_graph is None:
        warn_of_lost_mask(layer)
    if layer.takes_masks_off:
        for value in values[:3]:
            call.take_mask_off(value)
    _add_penalty(call, layer, y)
    return y


def _call_own(call: Call, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a layer whose `call` is the user's."""
    args, kwargs = map_structure(
        lambda leaf: leaf.current if isinstance(leaf, Variable) else leaf, (args, kwargs)
    )
    if not layer.built:
        layer.scope = call.scope
        layer.traced.build(*map_structure(_symbol, (args, kwargs)))
    with attributes_traced(layer, is_tracing()):
        _, y = layer.traced.run(args, kwargs, call.training, call)
    _add_penalty(call, layer, y)
    return y


def _symbol(leaf: Any) -> Any:
    return KerasTensor(np.shape(plain(leaf)), name="array") if is_array(leaf) else leaf


def _build(call: Call, layer: Any, shapes: Any) -> None:
    """Build a layer that is called, for any batch size unless it keeps states of the rows."""
    if layer.built:
        return
    layer.scope = call.scope
    if not layer.stateful:
        shapes = map_shapes(lambda shape: (None, *shape[1:]), shapes)
    layer.build(shapes)


def _runs_by_nodes(model: Any) -> bool:
    """Return whether a layer of a model adds to the loss, or has a `call` that is traced."""
    inside = all_inside(model)
    return model.regularizes_activity or any(layer.is_own_call for layer in inside)


def _by_nodes(call: Call, model: Any, x: Any, training: bool, mask: Any) -> Any:
    """Run a model layer by layer, so that each is a part of the trace or adds its own losses."""
    arrays = x if isinstance(x, list) else [x]
    masks = mask if isinstance(mask, list) else [mask] * len(arrays)
    with entered(None, training, call) as inner:
        for array, own in zip(arrays, masks, strict=True):
            inner.set_mask(array, own)
        return model.inner_graph.replay(arrays, lambda layer: layer)


def _native(
    layer: Any,
    x: Any,
    training: bool,
    mask: Any,
    options: Mapping[str, Any],
    embedded: tuple[Any, Any] | None,
) -> Any:
    """Return what a built-in layer makes of arrays by its own passes.

    Of `embedded` tokens a recurrent layer returns the gradient of the table, not of the vectors.
    """
    listed = isinstance(x, list)
    leaves = list(x) if listed else [x]
    structure: Any = None
    if embedded is not None:
        leaves[0] = embedded[1].current

    def arguments(values: Sequence[Any]) -> tuple[Any, ...]:
        if embedded is not None:
            first = kernels.Embedded(embedded[0], np.asarray(values[0]))
            checked: Any = [first, *map(as_output, values[1:])] if listed else first
        elif listed and hasattr(layer, "state_sizes"):  # states behind the sequences
            checked = [layer.as_input(values[0]), *map(as_output, values[1:])]
        else:
            checked = layer.as_input(list(values) if listed else values[0])
        return (checked, training, mask) if layer.uses_mask else (checked, training)

    weights = [variable.current for variable in layer.weights]
    if not is_traced(*leaves, *weights) and not has_tensor(*leaves, *weights):
        return layer.infer(*arguments([plain(each) for each in leaves]), **options)

    def forward(*values: Any) -> tuple[Any, Any]:
        nonlocal structure
        structure, cache = layer.run(*arguments(values[: len(leaves)]), **options)
        several = isinstance(structure, list | tuple | Mapping)
        return tuple(flatten(structure)) if several else structure, cache

    def backward(cache: Any, d_y: Any) -> list[Any]:
        several = isinstance(d_y, tuple)
        d = [as_output(each) for each in d_y] if several else as_output(d_y)
        d_x, d_weights = layer.run_back(cache, d)
        d_inputs = list(d_x or [None] * len(leaves)) if listed else [d_x]
        if embedded is not None and d_inputs[0] is not None:
            d_inputs[0] = table_gradient(d_inputs[0], embedded[0])
        return [*d_inputs, *d_weights]

    y = native(forward, backward, *leaves, *weights)
    if not isinstance(structure, list | tuple | Mapping):
        return y
    parts = [y[number] for number in range(len(flatten(structure)))]
    return pack(structure, parts)


def _add_penalty(call: Call, layer: Any, y: Any) -> None:
    """Add to the loss what the activity regularizer of a layer makes of its outputs."""
    regularizer = layer.activity_regularizer
    if regularizer is None:
        return

    def forward(value: Any) -> tuple[Any, Any]:
        return np.float32(regularizer(value) / len(value)), value

    def backward(value: Any, gradient: Any) -> list[Any]:
        return [regularizer.gradient(value) / np.float32(len(value)) * np.float32(gradient)]

    added = [native(forward, backward, each) for each in flatten(y)]
    call.losses += added
    layer._added += added


def penalty_of(weight: Variable) -> Any:
    """Return what the regularizer of a weight adds to the loss, traced if the weight is.

    Args:
        weight: A weight with a regularizer.
    """
    regularizer: Any = weight.regularizer

    def forward(value: Any) -> tuple[Any, Any]:
        return np.float32(regularizer(value)), value

    def backward(value: Any, gradient: Any) -> list[Any]:
        return [regularizer.gradient(value) * np.float32(gradient)]

    return native(forward, backward, weight.current)
