"""Arrays with some elements replaced, and sums over groups of rows."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from fastrnn.ops.describing import as_array, op
from fastrnn.tracing import native, plain


def _places(indices: Any) -> tuple[Any, ...]:
    """Return rows of indices [..., axes] as an index of NumPy."""
    return tuple(np.moveaxis(plain(as_array(indices)).astype(np.int64), -1, 0))


@op(
    "The array with elements replaced.",
    "ops.scatter_update([1, 2, 3], [[0], [2]], [7, 9])",
    "array([7, 2, 9])",
    inputs="Array.",
    indices="Integers [count, axes]: where; no place may appear twice.",
    updates="What stands there then.",
    reduction="None, the only choice: replace.",
    raises="ValueError: If `reduction` is another.",
)
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    if reduction is not None:
        raise ValueError(f"`reduction` must be None. Received: reduction={reduction!r}")
    return _replaced(inputs, _places(indices), updates)


@op(
    "The array with a block replaced.",
    "ops.slice_update([1, 2, 3], [1], [7, 9])",
    "array([1, 7, 9])",
    inputs="Array.",
    start_indices="Where the block begins, for each axis.",
    updates="The block.",
)
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    sizes = as_array(updates).shape
    block = zip(start_indices, sizes, strict=True)
    places = tuple(builtins.slice(int(start), int(start) + size) for start, size in block)
    return _replaced(inputs, places, updates)


def _replaced(inputs: Any, places: tuple[Any, ...], updates: Any) -> Any:
    def forward(array: Any, new: Any) -> tuple[Any, Any]:
        result = np.array(array)
        result[places] = new
        return result, None

    def backward(_: Any, gradient: Any) -> list[Any]:
        kept = np.array(gradient)
        kept[places] = 0
        return [kept, gradient[places]]

    return native(forward, backward, as_array(inputs), as_array(updates))


@op(
    "Zeros to which values are added at places.",
    "ops.scatter([[0], [2], [0]], [1, 2, 3], (3,))",
    "array([4, 0, 2])",
    indices="Integers [count, axes]: where; a place may appear several times.",
    values="What is added there.",
)
def scatter(indices: Any, values: Any, shape: Any) -> Any:
    places = _places(indices)

    def forward(added: Any) -> tuple[Any, Any]:
        result = np.zeros(shape, added.dtype)
        np.add.at(result, places, added)
        return result, None

    return native(forward, lambda _, gradient: [gradient[places]], as_array(values))


@op(
    "The sums of the rows of each group.",
    "ops.segment_sum([1, 2, 3], [0, 2, 0], 3)",
    "array([4, 0, 2])",
    data="Array; its first axis holds the rows.",
    segment_ids="Integers: the group of each row.",
    num_segments="How many groups; by default those up to the largest number.",
    sorted="Without effect.",
)
def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    data, groups = as_array(data), plain(as_array(segment_ids))
    count = int(groups.max()) + 1 if num_segments is None else num_segments
    return scatter(groups[:, np.newaxis], data, (count, *data.shape[1:]))
