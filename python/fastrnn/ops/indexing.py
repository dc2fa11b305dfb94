"""Elements by their positions."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from fastrnn.ops.describing import as_array, op
from fastrnn.tracing import namespace, plain


@op("The elements at positions along an axis.", "ops.take([10, 20, 30], [2, 0])", "array([30, 10])")
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    x, indices = as_array(x), plain(as_array(indices)).astype(np.int64)
    if axis is None:
        return namespace(x).reshape(x, (-1,))[indices]
    return x[(*(builtins.slice(None) for _ in range(axis % x.ndim)), indices)]


@op(
    "The elements at positions of their own along an axis.",
    "ops.take_along_axis([[10, 20], [30, 40]], [[1], [0]], 1)",
    "array([[20],\n       [30]])",
)
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    x, indices = as_array(x), plain(as_array(indices)).astype(np.int64)
    if axis is None:
        return namespace(x).reshape(x, (-1,))[indices.reshape(-1)]
    places: list[Any] = list(np.ogrid[tuple(builtins.slice(size) for size in indices.shape)])
    places[axis % x.ndim] = indices
    return x[tuple(places)]


@op(
    "A block of the array.",
    "ops.slice([1, 2, 3, 4], [1], [2])",
    "array([2, 3])",
    inputs="Array.",
    start_indices="Where it begins, for each axis.",
)
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    block = zip(start_indices, shape, strict=True)
    return as_array(inputs)[tuple(builtins.slice(int(b), int(b) + int(n)) for b, n in block)]


@op(
    "Rows of an identity matrix.",
    "ops.one_hot([1, 0], 2)",
    "array([[0., 1.],\n       [1., 0.]], dtype=float32)",
    x="Integers; a row of zeros stands for those out of range.",
    num_classes="How many columns.",
)
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: str = "float32") -> Any:
    rows = plain(as_array(x)).astype(np.int64)[..., np.newaxis] == np.arange(num_classes)
    return np.moveaxis(rows.astype(dtype), -1, axis)


@op("The elements in ascending order.", "ops.sort([3, 1, 2])", "array([1, 2, 3])")
def sort(x: Any, axis: int = -1) -> Any:
    return take_along_axis(x, np.argsort(plain(as_array(x)), axis=axis, kind="stable"), axis)


@op(
    "The positions of the elements in ascending order.",
    "ops.argsort([3, 1, 2])",
    "array([1, 2, 0])",
)
def argsort(x: Any, axis: int = -1) -> Any:
    return np.argsort(plain(as_array(x)), axis=axis, kind="stable")


@op(
    "The largest elements of the last axis, in descending order, and their positions.",
    "ops.top_k([3, 1, 2], 2)",
    "(array([3, 2]), array([0, 2]))",
    k="How many.",
    sorted="Whether in descending order; they always are.",
)
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    places = np.argsort(-plain(as_array(x)), axis=-1, kind="stable")[..., :k]
    return take_along_axis(x, places, -1), places
