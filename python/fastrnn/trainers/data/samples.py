"""Checked samples: what arrays and lists become before they are cut into batches."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastrnn.trainers.data.arrays import ArrayFeed
from fastrnn.trainers.data.batch import Batch, Feed
from fastrnn.trainers.data.memory_map import part_of
from fastrnn.trainers.data.ragged import Ragged, RaggedFeed


class Samples(NamedTuple):
    """All samples of a data set, converted.

    Attributes:
        x: The array of each input of the model; or sequences of differing lengths.
        y: The labels of each output, or those beside sequences; None where only predictions are
            wanted.
        sample_weight: Weights of the samples or of their steps, likewise; or None.
        forms: The structures in which they were given, for steps of a user's own.
    """

    x: tuple[np.ndarray, ...] | Ragged
    y: Any = None
    sample_weight: Any = None
    forms: tuple[Any, Any, Any] | None = None

    @property
    def number(self) -> int:
        """Number of samples."""
        return len(self.x if isinstance(self.x, Ragged) else self.x[0])

    def split(self, validation_split: float) -> tuple[Samples, Samples]:
        """Return the samples for training, and the last ones, for validation.

        Raises:
            ValueError: If one of the parts would be empty.
        """
        index = _split_index(self.number, validation_split)
        parts = (slice(index), slice(index, None))
        first, last = (
            self._replace(
                x=_rows(self.x, part),
                y=_rows(self.y, part),
                sample_weight=_rows(self.sample_weight, part),
            )
            for part in parts
        )
        return first, last

    def feed(self, batch_size: int, shuffle: bool | str = False) -> Feed:
        """Return the samples in batches.

        Args:
            batch_size: Samples per batch.
            shuffle: Whether each pass has an order of its own; "batch" for one in each batch.
        """
        if isinstance(self.x, Ragged):
            return RaggedFeed(self.x, self.y, self.sample_weight, batch_size, shuffle)
        return ArrayFeed(
            Batch(self.x, self.y, self.sample_weight, forms=self.forms), batch_size, shuffle
        )

    def batch(self) -> Batch:
        """Return all samples as one batch."""
        return next(iter(self.feed(self.number)))


def _rows(field: Any, part: slice) -> Any:
    if isinstance(field, tuple):
        return tuple(None if array is None else part_of(array, part) for array in field)
    return None if field is None else field[part]


def unpack(data: Any, name: str) -> tuple[Any, Any, Any]:
    """Return x, y and the sample weights of a tuple that has all or the first of them.

    Args:
        data: Tuple (x, y), (x, y, sample_weight) or (x,); anything else is x alone.
        name: What to call it in messages.

    Raises:
        ValueError: If it has another length.
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"{name} must be a tuple (x, y) or (x, y, sample_weight). "
            f"Received: a {type(data).__name__} of {len(data)} elements"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def _split_index(samples: int, validation_split: float) -> int:
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
