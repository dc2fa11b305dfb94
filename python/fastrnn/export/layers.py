"""The layers around recurrent ones as ONNX operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.export.activations import activation
from fastrnn.export.builder import Builder, Tensor, integers
from fastrnn.export.registry import Call, export_call, exports, masks, refuse
from fastrnn.layers.activation import Activation
from fastrnn.layers.average_pooling1d import AveragePooling1D
from fastrnn.layers.batch_normalization import BatchNormalization
from fastrnn.layers.conv1d import Conv1D
from fastrnn.layers.cropping1d import Cropping1D
from fastrnn.layers.dense import Dense
from fastrnn.layers.dropout import Dropout
from fastrnn.layers.elu import ELU
from fastrnn.layers.embedding import Embedding
from fastrnn.layers.flatten import Flatten
from fastrnn.layers.gaussian_dropout import GaussianDropout
from fastrnn.layers.gaussian_noise import GaussianNoise
from fastrnn.layers.global_average_pooling1d import GlobalAveragePooling1D
from fastrnn.layers.global_max_pooling1d import GlobalMaxPooling1D
from fastrnn.layers.identity import Identity
from fastrnn.layers.layer_normalization import LayerNormalization
from fastrnn.layers.leaky_relu import LeakyReLU
from fastrnn.layers.masking import Masking
from fastrnn.layers.max_pooling1d import MaxPooling1D
from fastrnn.layers.permute import Permute
from fastrnn.layers.prelu import PReLU
from fastrnn.layers.relu import ReLU
from fastrnn.layers.repeat_vector import RepeatVector
from fastrnn.layers.reshape import Reshape
from fastrnn.layers.softmax import Softmax
from fastrnn.layers.spatial_dropout1d import SpatialDropout1D
from fastrnn.layers.time_distributed import TimeDistributed
from fastrnn.layers.up_sampling1d import UpSampling1D
from fastrnn.layers.zero_padding1d import ZeroPadding1D

_LAST = np.iinfo(np.int64).max
"""The end of a slice that leaves nothing out."""


@exports(Dropout, SpatialDropout1D, GaussianDropout, GaussianNoise, Identity)
def _nothing(builder: Builder, call: Call) -> str:
    return call.input.name


@exports(Activation, ReLU, LeakyReLU, ELU, Softmax)
def _elementwise(builder: Builder, call: Call) -> str:
    layer = call.layer
    return activation(builder, call.input.name, layer.activation.__name__, **layer._arguments)


@exports(PReLU)
def _prelu(builder: Builder, call: Call) -> str:
    return builder.add("PRelu", call.input, builder.weight(call.layer.alpha))


# ------------------------------------------------------------------------------- with weights


@exports(Dense)
def _dense(builder: Builder, call: Call) -> str:
    layer = call.layer
    y = builder.add("MatMul", call.input, builder.weight(layer.kernel))
    if layer.bias is not None:
        y = builder.add("Add", y, builder.weight(layer.bias))
    return activation(builder, y, layer.activation.__name__)


@exports(Embedding)
def _embedding(builder: Builder, call: Call) -> str:
    tokens = builder.add("Cast", call.input, to="int64")
    return builder.add("Gather", builder.weight(call.layer.embeddings), tokens, axis=0)


@masks(Embedding)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    if not call.layer.mask_zero:
        return None
    tokens = builder.add("Cast", call.input, to="int64")
    return builder.add("Not", builder.add("Equal", tokens, np.int64(0)))


@exports(Conv1D)
def _conv1d(builder: Builder, call: Call) -> str:
    layer = call.layer
    kernel = layer.kernel.value.transpose(2, 1, 0)  # [filters, features, kernel_size]
    bias = None if layer.bias is None else builder.weight(layer.bias)
    y = builder.add(
        "Conv",
        _features_second(builder, call),
        builder.weight(layer.kernel, "_of_onnx", kernel),
        bias,
        dilations=list(layer.dilation_rate),
        group=layer.groups,
        **_windows(layer),
    )
    return activation(builder, _as_before(builder, call, y), layer.activation.__name__)


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
    size = float(np.prod([shape[axis] or 0 for axis in axes]))

    def mean(x: Any) -> str:
        return builder.add("Div", builder.add("ReduceSum", x, integers(*axes), keepdims=1), size)

    centered = builder.add("Sub", call.input, mean(call.input))
    variance = mean(builder.add("Mul", centered, centered))
    deviation = builder.add("Sqrt", builder.add("Add", variance, float(layer.epsilon)))
    y = builder.add("Div", call.input if layer.rms_scaling else centered, deviation)
    sizes = [size if axis in axes else 1 for axis, size in enumerate(shape)]
    for weight, operator in ((layer.gamma, "Mul"), (layer.beta, "Add")):
        if weight is not None:
            y = builder.add(operator, y, weight.value.reshape(sizes))
    return y


# ----------------------------------------------------------------------------- with other shapes


@exports(Flatten)
def _flatten(builder: Builder, call: Call) -> str:
    x, rank = call.input.name, len(call.input.shape)
    if call.layer.data_format == "channels_first" and rank > 2:
        x = builder.add("Transpose", x, perm=[0, *range(2, rank), 1])
    return builder.add("Reshape", x, integers(0, -1))


@exports(Reshape)
def _reshape(builder: Builder, call: Call) -> str:
    return builder.add("Reshape", call.input, integers(0, *call.layer.target_shape))


@exports(Permute)
def _permute(builder: Builder, call: Call) -> str:
    return builder.add("Transpose", call.input, perm=[0, *call.layer.dims])


@exports(RepeatVector)
def _repeat_vector(builder: Builder, call: Call) -> str:
    steps = builder.add("Unsqueeze", call.input, integers(1))
    return builder.add("Expand", steps, integers(1, call.layer.n, 1))


@exports(UpSampling1D)
def _up_sampling1d(builder: Builder, call: Call) -> str:
    steps = builder.add("Unsqueeze", call.input, integers(2))
    copies = builder.add("Expand", steps, integers(1, 1, call.layer.size, 1))
    features = _known(call.layer, call.input.shape[2:])
    return builder.add("Reshape", copies, integers(0, -1, *features))


@exports(ZeroPadding1D)
def _zero_padding1d(builder: Builder, call: Call) -> str:
    front, behind = call.layer.padding
    axis = call.layer._axis
    counts = [0] * 6
    counts[axis], counts[3 + axis] = front, behind
    return builder.add("Pad", call.input, integers(*counts), 0.0)


@exports(Cropping1D)
def _cropping1d(builder: Builder, call: Call) -> str:
    front, behind = call.layer.cropping
    end = -behind if behind else _LAST
    return builder.add("Slice", call.input, integers(front), integers(end), integers(1))


@exports(Masking)
def _masking(builder: Builder, call: Call) -> str:
    counts = builder.add("Unsqueeze", _not_masked(builder, call), integers(-1))
    return builder.add("Where", counts, call.input, 0.0)


@masks(Masking)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    return _not_masked(builder, call)


def _not_masked(builder: Builder, call: Call) -> str:
    other = builder.add("Not", builder.add("Equal", call.input, float(call.layer.mask_value)))
    number = builder.add(
        "ReduceSum", builder.add("Cast", other, to="int64"), integers(-1), keepdims=0
    )
    return builder.add("Greater", number, np.int64(0))


@exports(TimeDistributed, takes_mask=True)
def _time_distributed(builder: Builder, call: Call) -> str:
    layer, x = call.layer, call.input
    if layer.layer.uses_mask and any(call.mask):
        refuse(layer, "a mask for the layer inside cannot be exported")
    rows = builder.add("Reshape", x, integers(-1, *_known(layer, x.shape[2:])))
    (y,) = export_call(builder, Call(layer.layer, [Tensor(rows, (x.shape[0], *x.shape[2:]))]))
    shape = builder.add("Slice", builder.add("Shape", x), integers(0), integers(2))
    if sizes := _known(layer, y.shape[1:]):
        shape = builder.add("Concat", shape, integers(*sizes), axis=0)
    return builder.add("Reshape", y, shape)


def _known(layer: Any, sizes: Sequence[int | None]) -> list[int]:
    """Return sizes, of which none may be open."""
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        refuse(layer, f"the sizes of a step must be known. Received: {tuple(sizes)}")
    return known


# ----------------------------------------------------------------------------- over the steps


def _features_second(builder: Builder, call: Call) -> str:
    """Return `[batch, features, steps]`, in which the operators of ONNX slide over the steps."""
    if call.layer.data_format == "channels_first":
        return call.input.name
    return builder.add("Transpose", call.input, perm=[0, 2, 1])


def _as_before(builder: Builder, call: Call, y: str) -> str:
    if call.layer.data_format == "channels_first":
        return y
    return builder.add("Transpose", y, perm=[0, 2, 1])


def _windows(layer: Any) -> dict[str, Any]:
    """Return the attributes of windows: their size, strides and padding."""
    size = getattr(layer, "kernel_size", None) or layer.pool_size
    windows = {"kernel_shape": list(size), "strides": list(layer.strides)}
    missing = layer._span - 1
    if layer.padding == "valid":
        return windows
    if layer.padding == "causal":
        return windows | {"pads": [missing, 0]}
    if layer.strides[0] == 1:
        return windows | {"pads": [missing // 2, missing - missing // 2]}
    return windows | {"auto_pad": "SAME_UPPER"}  # depends on the number of steps


@exports(MaxPooling1D)
def _max_pooling1d(builder: Builder, call: Call) -> str:
    y = builder.add("MaxPool", _features_second(builder, call), **_windows(call.layer))
    return _as_before(builder, call, y)


@exports(AveragePooling1D)
def _average_pooling1d(builder: Builder, call: Call) -> str:
    y = builder.add("AveragePool", _features_second(builder, call), **_windows(call.layer))
    return _as_before(builder, call, y)


@exports(GlobalMaxPooling1D)
def _global_max_pooling1d(builder: Builder, call: Call) -> str:
    y = builder.add("GlobalMaxPool", _features_second(builder, call))
    if call.layer.keepdims:
        return _as_before(builder, call, y)
    return builder.add("Squeeze", y, integers(2))


@exports(GlobalAveragePooling1D, takes_mask=True)
def _global_average_pooling1d(builder: Builder, call: Call) -> str:
    axis, keepdims = call.layer._axis, int(call.layer.keepdims)
    x: str | Tensor = call.input
    if call.mask[0] is None:
        shape = builder.add("Shape", x)
        count = builder.add("Slice", shape, integers(axis), integers(axis + 1))
        number = builder.add("Cast", count, to="float32")
    else:
        counts = builder.add("Cast", call.mask[0], to="float32")
        counts = builder.add("Unsqueeze", counts, integers(3 - axis))
        x = builder.add("Mul", x, counts)
        number = builder.add("ReduceSum", counts, integers(axis), keepdims=keepdims)
    return builder.add(
        "Div", builder.add("ReduceSum", x, integers(axis), keepdims=keepdims), number
    )


@masks(GlobalAveragePooling1D, GlobalMaxPooling1D)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    return None
