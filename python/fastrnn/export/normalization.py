"""Layers of normalization as ONNX operators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastrnn.export.builder import Builder, Tensor, integers
from fastrnn.export.registry import Call, exports, refuse
from fastrnn.layers.batch_normalization import BatchNormalization
from fastrnn.layers.group_normalization import GroupNormalization
from fastrnn.layers.layer import Shape
from fastrnn.layers.layer_normalization import LayerNormalization
from fastrnn.layers.rms_normalization import RMSNormalization
from fastrnn.layers.unit_normalization import UnitNormalization
from fastrnn.variable import Variable


@exports(BatchNormalization, takes_mask=True)  # masks count in training alone
def _batch_normalization(builder: Builder, call: Call) -> str:
    layer, rank = call.layer, len(call.input.shape)
    scale = 1.0 / np.sqrt(layer.moving_variance.value + np.float32(layer.epsilon))
    if layer.gamma is not None:
        scale = scale * layer.gamma.value
    shift = -layer.moving_mean.value * scale
    if layer.beta is not None:
        shift = shift + layer.beta.value
    shape = [1] * rank
    shape[layer.axis] = -1
    y = builder.add("Mul", call.input, scale.astype(np.float32).reshape(shape))
    return builder.add("Add", y, shift.astype(np.float32).reshape(shape))


@exports(LayerNormalization)
def _layer_normalization(builder: Builder, call: Call) -> str:
    layer, shape = call.layer, call.input.shape
    axes = sorted(axis % len(shape) for axis in layer._axes)
    centered = builder.add("Sub", call.input, _mean(builder, call.input, axes))
    deviation = _root_mean_square(builder, centered, axes, layer.epsilon)
    y = builder.add("Div", call.input if layer.rms_scaling else centered, deviation)
    return _scaled(builder, y, shape, axes, layer.gamma, layer.beta)


@exports(RMSNormalization)
def _rms_normalization(builder: Builder, call: Call) -> str:
    layer, shape = call.layer, call.input.shape
    axes = sorted(axis % len(shape) for axis in layer._axes)
    root = _root_mean_square(builder, call.input, axes, layer.epsilon)
    y = builder.add("Div", call.input, root)
    return _scaled(builder, y, shape, axes, layer.scale, None)


@exports(UnitNormalization)
def _unit_normalization(builder: Builder, call: Call) -> str:
    squares = builder.add("Mul", call.input, call.input)
    total = builder.add("ReduceSum", squares, integers(*call.layer._axes), keepdims=1)
    # Of a vector of zeros the factor stays finite.
    factor = builder.add("Div", 1.0, builder.add("Max", builder.add("Sqrt", total), 1e-12))
    return builder.add("Mul", call.input, factor)


@exports(GroupNormalization)
def _group_normalization(builder: Builder, call: Call) -> str:
    layer, shape = call.layer, call.input.shape
    axis = layer.axis % len(shape)
    if shape[1:].count(None) > 1:
        refuse(layer, f"of its sizes at most one may be open. Received: shape={shape}")
    known = [-1 if size is None else size for size in shape]
    grouped = (*known[1:axis], layer.groups, known[axis] // layer.groups, *known[axis + 1 :])
    x = builder.add("Reshape", call.input, integers(0, *grouped))
    within = [each for each in range(1, len(shape) + 1) if each != axis]
    centered = builder.add("Sub", x, _mean(builder, x, within))
    deviation = _root_mean_square(builder, centered, within, layer.epsilon)
    normalized = builder.add("Div", centered, deviation)
    y = builder.add("Reshape", normalized, builder.add("Shape", call.input))
    return _scaled(builder, y, shape, [axis], layer.gamma, layer.beta)


def _mean(builder: Builder, x: str | Tensor, axes: Sequence[int]) -> str:
    """Return the mean over some axes, whose sizes may be open."""
    ones = builder.add("Expand", 1.0, builder.add("Shape", x))
    total, count = (
        builder.add("ReduceSum", each, integers(*axes), keepdims=1) for each in (x, ones)
    )
    return builder.add("Div", total, count)


def _root_mean_square(
    builder: Builder, x: str | Tensor, axes: Sequence[int], epsilon: float
) -> str:
    """Return `sqrt(mean(x^2) + epsilon)` over some axes."""
    squares = _mean(builder, builder.add("Mul", x, x), axes)
    return builder.add("Sqrt", builder.add("Add", squares, float(epsilon)))


def _scaled(
    builder: Builder,
    x: str,
    shape: Shape,
    axes: Sequence[int],
    scale: Variable | None,
    shift: Variable | None,
) -> str:
    """Return x, of a shape, times a weight and plus another one that lie along some axes."""
    sizes = [size if axis in axes else 1 for axis, size in enumerate(shape)]
    for weight, operator in ((scale, "Mul"), (shift, "Add")):
        if weight is not None:
            value = weight.value.reshape(np.array(sizes, np.int64))
            x = builder.add(operator, x, builder.weight(weight, "_spread", value))
    return x
