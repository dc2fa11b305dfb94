"""Convolutions and pooling over the steps as ONNX operators."""

from __future__ import annotations

from typing import Any

from fastrnn.export.activations import activation
from fastrnn.export.builder import Builder, Tensor, integers
from fastrnn.export.registry import Call, exports, masks, refuse
from fastrnn.layers.average_pooling1d import AveragePooling1D
from fastrnn.layers.conv1d import Conv1D
from fastrnn.layers.depthwise_conv1d import DepthwiseConv1D
from fastrnn.layers.global_average_pooling1d import GlobalAveragePooling1D
from fastrnn.layers.global_max_pooling1d import GlobalMaxPooling1D
from fastrnn.layers.max_pooling1d import MaxPooling1D
from fastrnn.layers.separable_conv1d import SeparableConv1D


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


@exports(DepthwiseConv1D)
def _depthwise_conv1d(builder: Builder, call: Call) -> str:
    layer = call.layer
    y = _of_each_feature(builder, call, layer.kernel, layer.bias)
    return activation(builder, _as_before(builder, call, y), layer.activation.__name__)


@exports(SeparableConv1D)
def _separable_conv1d(builder: Builder, call: Call) -> str:
    layer = call.layer
    y = _of_each_feature(builder, call, layer.depthwise_kernel, None)
    kernel = layer.pointwise_kernel.value.transpose(2, 1, 0)  # [filters, features, 1]
    bias = None if layer.bias is None else builder.weight(layer.bias)
    y = builder.add("Conv", y, builder.weight(layer.pointwise_kernel, "_of_onnx", kernel), bias)
    return activation(builder, _as_before(builder, call, y), layer.activation.__name__)


def _of_each_feature(builder: Builder, call: Call, weight: Any, bias: Any) -> str:
    """Return what windows over each feature alone give, `[batch, features * kernels, windows]`."""
    layer, (size, features, kernels) = call.layer, weight.shape
    if layer.padding == "same" and layer.strides[0] > 1 and layer.dilation_rate[0] > 1:
        refuse(layer, "there is no ONNX for this padding with strides and dilation")
    kernel = weight.value.transpose(1, 2, 0).reshape(features * kernels, 1, size)
    return builder.add(
        "Conv",
        _features_second(builder, call),
        builder.weight(weight, "_of_onnx", kernel),
        None if bias is None else builder.weight(bias),
        dilations=list(layer.dilation_rate),
        group=features,
        **_windows(layer),
    )


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
