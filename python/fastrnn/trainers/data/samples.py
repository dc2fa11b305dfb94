"""Checked samples: what arrays and lists become before they are cut into batches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastrnn.trainers.data.arrays import ArrayFeed
from fastrnn.trainers.data.batch import Batch, Feed
from fastrnn.trainers.data.ragged import Ragged, RaggedFeed
from fastrnn.trainers.data.split import split_index


class Samples(NamedTuple):
    """All samples of a data set, converted.

    Attributes:
        x: Inputs.
        y: Labels; None where only predictions are wanted.
        sample_weight: Weight of each sample or of each step, or None.
    """

    x: np.ndarray | Ragged
    y: np.ndarray | Ragged | None = None
    sample_weight: np.ndarray | Ragged | None = None

    def split(self, validation_split: float) -> tuple[Samples, Samples]:
        """Return the samples for training, and the last ones, for validation.

        Raises:
            ValueError: If one of the parts would be empty.
        """
        index = split_index(len(self.x), validation_split)
        parts = (slice(index), slice(index, None))
        first, last = (
            Samples(*(None if each is None else each[part] for each in self))  # type: ignore[arg-type]
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
        return ArrayFeed(Batch(*self), batch_size, shuffle)  # type: ignore[arg-type]

    def batch(self) -> Batch:
        """Return all samples as one batch."""
        return next(iter(self.feed(len(self.x))))
