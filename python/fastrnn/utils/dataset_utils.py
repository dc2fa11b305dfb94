"""Data sets in two parts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import is_integer
from fastrnn.random import make_seed
from fastrnn.utils.batches import Batches


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Batches, Batches]:
    """Split samples into a left and a right part, such as for training and for testing.

    The left part has the first samples, the right part the last ones. With both sizes given,
    samples between them may belong to neither.

    Args:
        dataset: An array; a list or tuple of arrays with the same number of samples; or a data set
            with the methods of `Batches`, whose batches are opened and made again.
        left_size: Samples in the left part: an integer, or a float in (0, 1) for a fraction. None
            for those that are not in the right part.
        right_size: The same for the right part.
        shuffle: Whether to shuffle the samples first.
        seed: Seed of their order, which is Keras's; None to draw one from the seed of
            `set_random_seed`.

    Returns:
        Two data sets of samples; of a list or tuple of arrays, a sample is a tuple. Call
        `.batch(size)` before `fit`.

    Raises:
        TypeError: If `dataset` is something else, or a size is not a number.
        ValueError: If arrays or sizes do not fit, or a part would be empty.

    Example:
        >>> import numpy as np
        >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
        >>> left, right = split_dataset((x, y), left_size=0.8)
        >>> len(left), len(right)
        (4, 1)
        >>> [(x.tolist(), int(y)) for x, y in right]
        [([8.0, 9.0], 4)]
    """
    count, sample, batch_size = _opened(dataset)
    left, right = _sizes(left_size, right_size, count)
    order = list(range(count))
    if shuffle:
        random.Random(make_seed() if seed is None else seed).shuffle(order)
    parts = (order[:left], order[count - right :])
    first, second = (_part(sample, part) for part in parts)
    if batch_size is None:
        return first, second
    return first.batch(batch_size), second.batch(batch_size)


def _opened(dataset: Any) -> tuple[int, Callable[[int], Any], int | None]:
    """Return the number of samples, a function that returns one, and the size of batches."""
    if isinstance(dataset, np.ndarray) and dataset.ndim:
        return len(dataset), dataset.__getitem__, None
    if isinstance(dataset, (list, tuple)):
        arrays = _checked(dataset)
        return len(arrays[0]), lambda index: tuple(each[index] for each in arrays), None
    if isinstance(dataset, Batches):
        batched = dataset.batch_size is not None
        samples = list((dataset.unbatch() if batched else dataset).as_numpy_iterator())
        return len(samples), samples.__getitem__, dataset.batch_size
    raise TypeError(
        "`dataset` must be an array, a list or tuple of arrays, or a data set with the methods of "
        f"`Batches`. Received: {type(dataset).__name__}"
    )


def _checked(arrays: Sequence[Any]) -> Sequence[np.ndarray]:
    if not arrays or not all(isinstance(each, np.ndarray) and each.ndim for each in arrays):
        kinds = [type(each).__name__ for each in arrays]
        raise ValueError(f"`dataset` must hold arrays of samples. Received: a list of {kinds}")
    if len({len(each) for each in arrays}) > 1:
        raise ValueError(
            "The arrays of `dataset` must have the same number of samples. "
            f"Received: shapes {[each.shape for each in arrays]}"
        )
    return arrays


def _sizes(left: float | None, right: float | None, count: int) -> tuple[int, int]:
    """Return the number of samples in each part."""
    if left is None and right is None:
        raise ValueError("`left_size` or `right_size` must be given. Received: None for both")
    sizes = [_size(name, size, count) for name, size in (("left", left), ("right", right))]
    first = count - (sizes[1] or 0) if sizes[0] is None else sizes[0]
    second = count - first if sizes[1] is None else sizes[1]
    if first + second > count or not first or not second:
        raise ValueError(
            f"`left_size` and `right_size` must make two parts of {count} samples, neither of them "
            f"empty. Received: left_size={left}, right_size={right}"
        )
    return first, second


def _size(name: str, size: float | None, count: int) -> int | None:
    if size is None:
        return None
    fraction = isinstance(size, float)
    if not fraction and not is_integer(size):
        raise TypeError(
            f"`{name}_size` must be an integer, a float or None. Received: {name}_size={size!r}"
        )
    if not 0 < size < (1 if fraction else count):
        raise ValueError(
            f"`{name}_size` must be an integer from 1 to {count - 1}, or a float in (0, 1). "
            f"Received: {name}_size={size!r}"
        )
    return round(size * count) if fraction else int(size)


def _part(sample: Callable[[int], Any], part: list[int]) -> Batches:
    def make() -> Iterator[Any]:
        return map(sample, part)

    return Batches(make, lambda: len(part))
