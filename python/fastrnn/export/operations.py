"""Operations on symbolic tensors, such as `x + y` and `x[:, -1]`, as ONNX operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.export.activations import activation
from fastrnn.export.builder import Builder, Tensor, integers
from fastrnn.export.registry import Call, exports, masks, refuse
from fastrnn.layers.operation import Operation

_OF_TWO = {
    "add": "Add",
    "divide": "Div",
    "matmul": "MatMul",
    "maximum": "Max",
    "minimum": "Min",
    "multiply": "Mul",
    "power": "Pow",
    "subtract": "Sub",
    "true_divide": "Div",
}
"""Functions of two tensors or numbers."""

_OF_ONE = {
    "abs": "Abs",
    "absolute": "Abs",
    "exp": "Exp",
    "log": "Log",
    "negative": "Neg",
    "sqrt": "Sqrt",
}
_ACTIVATIONS = {"elu", "gelu", "relu", "sigmoid", "silu", "softplus", "softsign", "tanh"}
"""Functions of one tensor, without further arguments."""


@exports(Operation)
def _operation(builder: Builder, call: Call) -> str:
    layer = call.layer
    if set(layer.dtypes) != {"float32"}:
        refuse(layer, f"`{layer.function}` is exported for float32 alone")
    args, kwargs = layer.full_arguments(call.inputs)
    name = layer.function
    if name in _OF_TWO and len(args) == 2 and not kwargs:
        return builder.add(_OF_TWO[name], *map(_value, args))
    if len(args) == 1 and not kwargs and (name in _OF_ONE or name in _ACTIVATIONS):
        if name in _OF_ONE:
            return builder.add(_OF_ONE[name], args[0])
        return activation(builder, args[0].name, name)
    if name == "square":
        return builder.add("Mul", args[0], args[0])
    if name not in _OTHERS:
        refuse(layer, f"there is no ONNX for `{name}` with these arguments")
    return _OTHERS[name](builder, layer, *args, **kwargs)


@masks(Operation)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    return None


def _value(value: Any) -> Any:
    return value if isinstance(value, Tensor) else np.asarray(value, np.float32)


def _get_item(builder: Builder, layer: Any, x: Tensor, index: Any) -> str:
    """Export a basic index: integers, slices, None and an Ellipsis."""
    items = list(index) if isinstance(index, tuple) else [index]
    taken = sum(item is not None and item is not Ellipsis for item in items)
    if Ellipsis in items:
        place = items.index(Ellipsis)
        items[place : place + 1] = [slice(None)] * (len(x.shape) - taken)
    starts: list[int] = []
    ends: list[int] = []
    axes: list[int] = []
    steps: list[int] = []
    dropped: list[int] = []
    new: list[int] = []
    axis = 0
    for item in items:
        if item is None:
            new.append(axis - len(dropped) + len(new))
            continue
        if not isinstance(item, (int, np.integer, slice)) or isinstance(item, bool):
            refuse(layer, f"an index is exported of integers and slices. Received: {index}")
        if not isinstance(item, slice):
            dropped.append(axis)
            item = slice(int(item), None if item == -1 else int(item) + 1)
        step = 1 if item.step is None else int(item.step)
        if item != slice(None):
            first, last = (0, _MOST) if step > 0 else (_MOST, -_MOST)
            starts.append(first if item.start is None else int(item.start))
            ends.append(last if item.stop is None else int(item.stop))
            axes.append(axis)
            steps.append(step)
        axis += 1
    y = x.name
    if axes:
        y = builder.add("Slice", y, *(integers(*each) for each in (starts, ends, axes, steps)))
    if dropped:
        y = builder.add("Squeeze", y, integers(*dropped))
    return builder.add("Unsqueeze", y, integers(*new)) if new else builder.add("Identity", y)


_MOST = np.iinfo(np.int64).max


def _transpose(builder: Builder, layer: Any, x: Tensor, axes: Any = None) -> str:
    rank = len(x.shape)
    order = range(rank)[::-1] if axes is None else [axis % rank for axis in axes]
    return builder.add("Transpose", x, perm=list(order))


def _expand_dims(builder: Builder, layer: Any, x: Tensor, axis: Any) -> str:
    return builder.add("Unsqueeze", x, integers(*np.atleast_1d(axis).tolist()))


def _squeeze(builder: Builder, layer: Any, x: Tensor, axis: Any = None) -> str:
    if axis is None:
        refuse(layer, "`squeeze` is exported with an `axis` alone")
    return builder.add("Squeeze", x, integers(*np.atleast_1d(axis).tolist()))


def _reshape(builder: Builder, layer: Any, x: Tensor, newshape: Any) -> str:
    sizes = np.atleast_1d(newshape).tolist()
    if not all(isinstance(size, int) for size in sizes):
        refuse(layer, f"`reshape` is exported to known sizes. Received: {newshape}")
    return builder.add("Reshape", x, integers(*sizes))


def _concatenate(builder: Builder, layer: Any, xs: Any, axis: int = 0) -> str:
    if not all(isinstance(each, Tensor) for each in xs):
        refuse(layer, "`concatenate` is exported for tensors of the model alone")
    return builder.add("Concat", *xs, axis=axis)


def _softmax(builder: Builder, layer: Any, x: Tensor, axis: Any = -1) -> str:
    return activation(builder, x.name, "softmax", axis=axis)


def _sum(builder: Builder, layer: Any, x: Any, axis: Any = None, keepdims: bool = False) -> str:
    axes = None if axis is None else integers(*np.atleast_1d(axis).tolist())
    return builder.add("ReduceSum", x, axes, keepdims=int(keepdims))


def _mean(builder: Builder, layer: Any, x: Tensor, axis: Any = None, keepdims: bool = False) -> str:
    ones = builder.add("Expand", 1.0, builder.add("Shape", x))
    total, count = (_sum(builder, layer, each, axis, keepdims) for each in (x, ones))
    return builder.add("Div", total, count)


_OTHERS: dict[str, Callable[..., str]] = {
    "concatenate": _concatenate,
    "expand_dims": _expand_dims,
    "get_item": _get_item,
    "mean": _mean,
    "reshape": _reshape,
    "softmax": _softmax,
    "squeeze": _squeeze,
    "sum": _sum,
    "transpose": _transpose,
}
"""Functions with arguments of their own."""
