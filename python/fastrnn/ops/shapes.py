"""Shapes: reshaping, joining, cutting, repeating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.ops.describing import as_array, op
from fastrnn.tracing import namespace, plain


@op("The sizes of the axes.", "ops.shape([[1, 2, 3]])", "(1, 3)")
def shape(x: Any) -> Any:
    return tuple(as_array(x).shape)


@op("The number of axes.", "ops.ndim([[1, 2, 3]])", "2")
def ndim(x: Any) -> Any:
    return as_array(x).ndim


@op("The number of elements.", "ops.size([[1, 2, 3]])", "3")
def size(x: Any) -> Any:
    return as_array(x).size


@op(
    "The elements in another shape.",
    "ops.reshape([1, 2, 3, 4], (2, -1))",
    "array([[1, 2],\n       [3, 4]])",
    newshape="Tuple of sizes; -1 for what is left.",
)
def reshape(x: Any, newshape: Any) -> Any:
    x = as_array(x)
    return namespace(x).reshape(x, newshape)


@op("The elements along one axis.", "ops.ravel([[1, 2], [3, 4]])", "array([1, 2, 3, 4])")
def ravel(x: Any) -> Any:
    return reshape(x, (-1,))


@op("The array with one more axis.", "ops.expand_dims([1, 2], -1).shape", "(2, 1)")
def expand_dims(x: Any, axis: Any) -> Any:
    x = as_array(x)
    for one in sorted(axis) if isinstance(axis, list | tuple) else [axis]:
        x = namespace(x).expand_dims(x, one)
    return x


@op("The array without axes of size 1.", "ops.squeeze([[1, 2]], 0)", "array([1, 2])")
def squeeze(x: Any, axis: Any = None) -> Any:
    x = as_array(x)
    return namespace(x).squeeze(x, axis)


@op(
    "The array with its axes in another order, by default the opposite one.",
    "ops.transpose([[1, 2]])",
    "array([[1],\n       [2]])",
)
def transpose(x: Any, axes: Any = None) -> Any:
    x = as_array(x)
    return namespace(x).transpose(x, axes)


@op(
    "The array with two axes exchanged.",
    "ops.swapaxes([[1, 2]], 0, 1).shape",
    "(2, 1)",
    axis1="One axis.",
    axis2="The other.",
)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    x = as_array(x)
    return namespace(x).swapaxes(x, axis1, axis2)


@op(
    "The array with axes moved to other places.",
    "ops.moveaxis([[[1, 2]]], 2, 0).shape",
    "(2, 1, 1)",
    source="Axis or axes.",
    destination="Their new places.",
)
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    x = as_array(x)
    return namespace(x).moveaxis(x, source, destination)


@op("Arrays joined along an axis.", "ops.concatenate([[1, 2], [3]])", "array([1, 2, 3])")
def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    arrays = [as_array(x) for x in xs]
    return namespace(arrays).concatenate(arrays, axis)


@op(
    "Arrays of one shape joined along a new axis.",
    "ops.stack([[1, 2], [3, 4]], axis=1)",
    "array([[1, 3],\n       [2, 4]])",
    x="List of arrays.",
)
def stack(x: Sequence[Any], axis: int = 0) -> Any:
    arrays = [as_array(each) for each in x]
    return namespace(arrays).stack(arrays, axis)


@op(
    "The parts along an axis.",
    "ops.split([1, 2, 3, 4], 2)",
    "[array([1, 2]), array([3, 4])]",
    indices_or_sections="How many equal parts, or where to cut.",
)
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    x = as_array(x)
    return list(namespace(x).split(x, indices_or_sections, axis))


@op(
    "The slices along an axis, without that axis.",
    "ops.unstack([[1, 2], [3, 4]])",
    "[array([1, 2]), array([3, 4])]",
    num="How many; not needed.",
)
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    x = as_array(x)
    moved = namespace(x).moveaxis(x, axis, 0)
    return [moved[number] for number in range(num or moved.shape[0])]


@op(
    "Copies of the array along each axis.",
    "ops.tile([1, 2], 2)",
    "array([1, 2, 1, 2])",
    repeats="How many, for each axis.",
)
def tile(x: Any, repeats: Any) -> Any:
    x = as_array(x)
    return namespace(x).tile(x, repeats)


@op("Copies of each element.", "ops.repeat([1, 2], 2)", "array([1, 1, 2, 2])", repeats="How many.")
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    x = as_array(x)
    return namespace(x).repeat(x, repeats, axis)


@op(
    "The array, repeated to a shape.",
    "ops.broadcast_to([1, 2], (2, 2))",
    "array([[1, 2],\n       [1, 2]])",
)
def broadcast_to(x: Any, shape: Any) -> Any:
    x = as_array(x)
    if namespace(x) is np:
        return np.broadcast_to(x, shape).copy()
    return x + np.zeros(shape, plain(x).dtype)


@op(
    "Arrays joined along the second axis; vectors along their only axis.",
    "ops.hstack([[1, 2], [3]])",
    "array([1, 2, 3])",
)
def hstack(xs: Sequence[Any]) -> Any:
    arrays = [as_array(x) for x in xs]
    return concatenate(arrays, 0 if arrays[0].ndim == 1 else 1)


@op(
    "Arrays joined along the first axis; a vector is a row.",
    "ops.vstack([[1, 2], [3, 4]])",
    "array([[1, 2],\n       [3, 4]])",
)
def vstack(xs: Sequence[Any]) -> Any:
    arrays = [as_array(x) for x in xs]
    return concatenate([x if x.ndim > 1 else reshape(x, (1, -1)) for x in arrays], 0)


@op(
    "One array behind the other.",
    "ops.append([1, 2], [3])",
    "array([1, 2, 3])",
)
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    return concatenate([ravel(x1), ravel(x2)] if axis is None else [x1, x2], axis or 0)


@op(
    "The differences of neighbours.",
    "ops.diff([1, 4, 9])",
    "array([3, 5])",
    a="Array.",
    n="How many times.",
)
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    x = as_array(a)
    for _ in range(n):
        before = (slice(None),) * (axis % x.ndim)
        x = x[(*before, slice(1, None))] - x[(*before, slice(None, -1))]
    return x


@op(
    "The elements of a diagonal.",
    "ops.diagonal([[1, 2], [3, 4]])",
    "array([1, 4])",
    offset="Which diagonal.",
    axis1="The rows' axis.",
    axis2="The columns' axis.",
)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    x = as_array(x)
    x = namespace(x).moveaxis(x, (axis1, axis2), (-2, -1))
    rows = np.arange(x.shape[-2])
    rows = rows[(rows + offset >= 0) & (rows + offset < x.shape[-1])]
    return x[..., rows, rows + offset]


@op(
    "The sum of a diagonal.",
    "ops.trace([[1, 2], [3, 4]])",
    "np.int64(5)",
    offset="Which diagonal.",
    axis1="The rows' axis.",
    axis2="The columns' axis.",
)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    found = as_array(diagonal(x, offset, axis1, axis2))
    return namespace(found).sum(found, axis=-1)


@op("The elements in the opposite order along axes.", "ops.flip([1, 2, 3])", "array([3, 2, 1])")
def flip(x: Any, axis: Any = None) -> Any:
    x = as_array(x)
    turned = range(x.ndim) if axis is None else np.atleast_1d(axis) % x.ndim
    return x[tuple(slice(None, None, -1 if n in turned else 1) for n in range(x.ndim))]


@op(
    "The elements, shifted in a circle.",
    "ops.roll([1, 2, 3], 1)",
    "array([3, 1, 2])",
    shift="By how many.",
)
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    x = as_array(x)
    return namespace(x).roll(x, shift, axis)


@op(
    "The array with values around it.",
    "ops.pad([1, 2], ((1, 0),))",
    "array([0, 1, 2])",
    pad_width="How many before and after, for each axis.",
    mode='"constant".',
    constant_values="The value; 0 by default.",
    raises="ValueError: If `mode` is another.",
)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    if mode != "constant":
        raise ValueError(f"`mode` must be 'constant'. Received: mode={mode!r}")
    x = as_array(x)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    value = 0 if constant_values is None else constant_values
    for axis, (before, after) in enumerate(widths.tolist()):
        sizes = [(*x.shape[:axis], count, *x.shape[axis + 1 :]) for count in (before, after)]
        ends = [np.full(each, value, plain(x).dtype) for each in sizes]
        x = namespace(x).concatenate([ends[0], x, ends[1]], axis)
    return x
