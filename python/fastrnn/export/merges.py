"""Layers that merge several inputs as ONNX operators."""

from __future__ import annotations

from functools import reduce

import numpy as np

from fastrnn.export.builder import Builder, Tensor, integers
from fastrnn.export.registry import Call, exports, masks, refuse
from fastrnn.layers.add import Add
from fastrnn.layers.average import Average
from fastrnn.layers.concatenate import Concatenate
from fastrnn.layers.dot import Dot
from fastrnn.layers.maximum import Maximum
from fastrnn.layers.minimum import Minimum
from fastrnn.layers.multiply import Multiply
from fastrnn.layers.subtract import Subtract

_OPERATORS = {
    Add: "Add",
    Average: "Add",
    Maximum: "Max",
    Minimum: "Min",
    Multiply: "Mul",
    Subtract: "Sub",
}


@exports(Add, Average, Subtract)
def _merge(builder: Builder, call: Call) -> str:
    operator, aligned = _OPERATORS[type(call.layer)], _aligned(builder, call)
    merged = reduce(lambda left, each: builder.add(operator, left, each), aligned)
    if type(call.layer) is Average:
        return builder.add("Div", merged, float(len(aligned)))
    return merged


@exports(Maximum, Minimum, Multiply, takes_mask=True)
def _masked_merge(builder: Builder, call: Call) -> str:
    """Merge so that a masked entry of an input leaves the others alone."""
    operator, aligned = _OPERATORS[type(call.layer)], _aligned(builder, call)
    masks = [mask and builder.add("Unsqueeze", mask, integers(-1)) for mask in call.mask]
    if type(call.layer) is Multiply:
        factors = [
            each if mask is None else builder.add("Where", mask, each, 1.0)
            for each, mask in zip(aligned, masks, strict=True)
        ]
        product = reduce(lambda left, each: builder.add(operator, left, each), factors)
        known = [mask for mask in masks if mask is not None]
        if len(known) < len(masks):
            return product
        anywhere = reduce(lambda left, mask: builder.add("Or", left, mask), known)
        return builder.add("Where", anywhere, product, 0.0)
    merged, counts = aligned[0], masks[0]
    for each, mask in zip(aligned[1:], masks[1:], strict=True):
        if mask is not None:
            each = builder.add("Where", mask, each, merged)
        left = merged if counts is None else builder.add("Where", counts, merged, each)
        merged = builder.add(operator, left, each)
        counts = None if mask is None or counts is None else builder.add("Or", counts, mask)
    return merged


@masks(*_OPERATORS)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    known = [mask for mask in given if mask is not None]
    if len(known) < len(given):
        return None
    return reduce(lambda left, mask: builder.add("Or", left, mask), known)


def _aligned(builder: Builder, call: Call) -> list[str]:
    """Return the inputs with dimensions of 1 behind the batch where they have fewer."""
    missing = [
        max(len(each.shape) for each in call.inputs) - len(each.shape) for each in call.inputs
    ]
    return [
        builder.add("Unsqueeze", each, integers(*range(1, 1 + number))) if number else each.name
        for each, number in zip(call.inputs, missing, strict=True)
    ]


@exports(Concatenate)
def _concatenate(builder: Builder, call: Call) -> str:
    return builder.add("Concat", *call.inputs, axis=call.layer.axis)


@masks(Concatenate)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    if not any(given):
        return None
    axis = call.layer.axis % 3
    if any(len(each.shape) != 3 for each in call.inputs) or axis == 0:
        refuse(call.layer, "a mask is exported for inputs of three dimensions alone")
    if axis == 2:  # a step counts if it does in any of the inputs
        if not all(given):
            return None
        return reduce(lambda left, mask: builder.add("Or", left, mask), given)
    whole = [
        _all_steps(builder, each) if mask is None else mask
        for each, mask in zip(call.inputs, given, strict=True)
    ]
    return builder.add("Concat", *whole, axis=1)


def _all_steps(builder: Builder, x: Tensor) -> str:
    """Return a mask that leaves all steps of `[batch, steps, features]`."""
    shape = builder.add("Slice", builder.add("Shape", x), integers(0), integers(2))
    return builder.add("Expand", np.array(True), shape)


@exports(Dot)
def _dot(builder: Builder, call: Call) -> str:
    layer, (first, second) = call.layer, call.inputs
    axes = layer._axes_of([first.shape, second.shape])
    sizes = list(layer.compute_output_shape([first.shape, second.shape])[1:])
    if sizes.count(None) > 1 or first.shape[axes[0]] is None:
        refuse(layer, f"its sizes must be known. Received: {first.shape} and {second.shape}")
    size = first.shape[axes[0]] or 1
    left, right = (
        _normalized(builder, each, axis) if layer.normalize else each.name
        for each, axis in zip((first, second), axes, strict=True)
    )
    left = _moved(builder, left, len(first.shape), axes[0], len(first.shape) - 1)
    right = _moved(builder, right, len(second.shape), axes[1], 1)
    product = builder.add(
        "MatMul",
        builder.add("Reshape", left, integers(0, -1, size)),
        builder.add("Reshape", right, integers(0, size, -1)),
    )
    shape = [-1 if each is None else each for each in sizes]
    return builder.add("Reshape", product, integers(0, *shape))


@masks(Dot)
def _(builder: Builder, call: Call, given: list[str | None]) -> str | None:
    return None


def _moved(builder: Builder, x: str, rank: int, source: int, target: int) -> str:
    order = [axis for axis in range(rank) if axis != source]
    order.insert(target, source)
    return builder.add("Transpose", x, perm=order)


def _normalized(builder: Builder, x: Tensor, axis: int) -> str:
    squares = builder.add("ReduceSum", builder.add("Mul", x, x), integers(axis), keepdims=1)
    length = builder.add("Max", builder.add("Sqrt", squares), 1e-7)
    return builder.add("Div", x, length)
