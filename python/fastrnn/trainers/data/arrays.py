"""Data sets that are arrays, cut into batches."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from fastrnn.random import generator, get_own_state
from fastrnn.trainers.data.batch import Batch, Feed, holds_tokens


class ArrayFeed(Feed):
    """Batches of arrays; the last one of a pass may be smaller.

    Args:
        data: The arrays of all samples.
        batch_size: Samples per batch.
        shuffle: Whether each pass has an order of its own; "batch" for one within each batch.
    """

    def __init__(self, data: Batch, batch_size: int, shuffle: bool | str = False) -> None:
        self.data = data
        self.samples = len(data.x[0])
        self.batch_size = batch_size
        self.steps: int = -(-self.samples // batch_size)
        self._shuffle = shuffle
        self._steps_known: np.ndarray | None = None  # of each sample, -1 before it was counted

    def __iter__(self) -> Iterator[Batch]:
        order = self._order()
        x, y, weight, *_ = self.data
        for start in range(0, self.samples, self.batch_size):
            stop, number = min(start + self.batch_size, self.samples), None
            rows = slice(start, stop) if order is None else order[start:stop]
            if self.share is not None:
                number = stop - start
                numbers = np.arange(start, stop) if order is None else order[start:stop]
                own = self.share(number, partial(self._own_steps, numbers))
                if order is None and isinstance(own, slice):  # views will do
                    rows = slice(start + own.start, start + own.stop)
                else:
                    rows = numbers[own]
            yield Batch(
                _taken(x, rows),
                None if y is None else _taken(y, rows),
                None if weight is None else _taken(weight, rows),
                rows=number,
                forms=self.data.forms,
            )

    def _own_steps(self, rows: np.ndarray) -> np.ndarray | None:
        """Return how many steps of some samples are no padding, counted when they first come.

        In later passes a process reads its own samples alone.
        """
        tokens = tuple(each for each in self.data.x if holds_tokens(each))
        if not tokens:
            return None
        if self._steps_known is None:
            self._steps_known = np.full(self.samples, -1)
        new = rows[self._steps_known[rows] < 0]
        if len(new):
            self._steps_known[new] = Batch(_taken(tokens, new)).own_steps()
        known: np.ndarray = self._steps_known[rows]
        return known

    def _order(self) -> np.ndarray | None:
        if self._shuffle == "batch":
            order = np.arange(self.samples)
            for start in range(0, self.samples, self.batch_size):
                generator().shuffle(order[start : start + self.batch_size])
            return order
        return generator().permutation(self.samples) if self._shuffle else None

    def state_before_pass(self) -> dict[str, Any]:
        """Return the random numbers that the order of the samples is drawn from."""
        return {"random": get_own_state(), "data": {}}

    def peek(self) -> Batch:
        """Return all samples, whose shapes are those of a batch but for the first size."""
        return self.data

    def batch_sizes(self) -> set[int]:
        """Return the sizes of the batches: one or two."""
        return sizes_of_batches(self.samples, self.batch_size)


def sizes_of_batches(samples: int, batch_size: int) -> set[int]:
    """Return the sizes of the batches that so many samples are cut into."""
    return {min(batch_size, samples), samples % batch_size} - {0}


def _taken(arrays: tuple[Any, ...], rows: slice | np.ndarray) -> tuple[Any, ...]:
    """Return some rows of arrays; views of them where the rows stand together."""
    if isinstance(rows, slice):
        return tuple([None if array is None else array[rows] for array in arrays])
    return tuple([None if array is None else array.take(rows, axis=0) for array in arrays])
