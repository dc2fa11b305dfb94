"""Data sets: what comes into `fit` is checked and converted here, once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastrnn.layers.inputs import as_numbers


def as_targets(y: Any, samples: int) -> np.ndarray:
    """Return the labels as an array, one per sample.

    Args:
        y: Array or nested lists of numbers.
        samples: How many there are in x.

    Raises:
        TypeError: If the labels are not numbers.
        ValueError: If their number is not that of the samples.
    """
    if y is None:
        raise ValueError("`y` must be an array of labels. Received: y=None")
    labels = as_numbers(y, "y")
    if labels.ndim == 0 or len(labels) != samples:
        raise ValueError(
            "`x` and `y` must have the same number of samples. "
            f"Received: {samples} in x, y of shape {labels.shape}"
        )
    return labels


def split_index(samples: int, validation_split: float) -> int:
    """Return how many samples stay for training; the others, at the end, are for validation.

    Raises:
        ValueError: If one of the parts would be empty.
    """
    if not isinstance(validation_split, (int, float)) or not 0.0 <= validation_split <= 1.0:
        raise ValueError(
            "`validation_split` must be a number between 0 and 1. "
            f"Received: validation_split={validation_split!r}"
        )
    index = math.floor(samples * (1.0 - validation_split))
    if index in (0, samples):
        raise ValueError(
            f"`validation_split` must leave samples for training and for validation. "
            f"Received: validation_split={validation_split} of {samples} samples"
        )
    return index


def unpack_validation_data(data: Any) -> tuple[Any, Any]:
    """Return x and y of `validation_data`.

    Raises:
        ValueError: If it is no pair.
    """
    if isinstance(data, (tuple, list)) and len(data) == 3:
        raise ValueError("Sample weights in `validation_data` are not supported yet.")
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise ValueError(
            f"`validation_data` must be a tuple (x, y). Received: {type(data).__name__}"
        )
    return data[0], data[1]


def batches(
    x: np.ndarray, y: np.ndarray, batch_size: int, order: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut samples into batches; the last one may be smaller.

    Args:
        x: Inputs.
        y: Labels, as many.
        batch_size: Samples per batch.
        order: Permutation of the samples, or None for the order in which they are.

    Yields:
        Inputs and labels of a batch.
    """
    for start in range(0, len(x), batch_size):
        stop = start + batch_size
        if order is None:
            yield x[start:stop], y[start:stop]
        else:
            rows = order[start:stop]
            yield x.take(rows, axis=0), y.take(rows, axis=0)
