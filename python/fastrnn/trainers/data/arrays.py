"""Data sets that are arrays, cut into batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastrnn.random import generator
from fastrnn.trainers.data.batch import Batch, Feed


class ArrayFeed(Feed):
    """Batches of arrays; the last one of a pass may be smaller.

    Args:
        data: The arrays of all samples.
        batch_size: Samples per batch.
        shuffle: Whether each pass has an order of its own; "batch" for one within each batch.
    """

    def __init__(self, data: Batch, batch_size: int, shuffle: bool | str = False) -> None:
        self.data = data
        self.samples = len(data.x)
        self.batch_size = batch_size
        self.steps: int = -(-self.samples // batch_size)
        self._shuffle = shuffle

    def __iter__(self) -> Iterator[Batch]:
        x, y, weight, _ = self.data
        order = self._order()
        for start in range(0, self.samples, self.batch_size):
            stop = start + self.batch_size
            if order is None:
                yield Batch(
                    x[start:stop],
                    None if y is None else y[start:stop],
                    None if weight is None else weight[start:stop],
                )
            else:
                rows = order[start:stop]
                yield Batch(
                    x.take(rows, axis=0),
                    None if y is None else y.take(rows, axis=0),
                    None if weight is None else weight.take(rows, axis=0),
                )

    def _order(self) -> np.ndarray | None:
        if self._shuffle == "batch":
            order = np.arange(self.samples)
            for start in range(0, self.samples, self.batch_size):
                generator().shuffle(order[start : start + self.batch_size])
            return order
        return generator().permutation(self.samples) if self._shuffle else None

    def peek(self) -> Batch:
        """Return all samples, whose shapes are those of a batch but for the first size."""
        return self.data

    def batch_sizes(self) -> set[int]:
        """Return the sizes of the batches: one or two."""
        return sizes_of_batches(self.samples, self.batch_size)


def sizes_of_batches(samples: int, batch_size: int) -> set[int]:
    """Return the sizes of the batches that so many samples are cut into."""
    return {min(batch_size, samples), samples % batch_size} - {0}
