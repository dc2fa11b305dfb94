"""Data sets of numbered batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class PyDataset:
    """Base of data sets whose batches are made one by one, by index.

    Subclasses implement `__getitem__` and `__len__` (or `num_batches`). `fit`, `evaluate` and
    `predict` take any object that has these, whatever its base. Batches are made in the thread that
    trains.

    Args:
        workers: Accepted as in Keras; without effect.
        use_multiprocessing: Accepted as in Keras; without effect.
        max_queue_size: Accepted as in Keras; without effect.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         return np.full((2, 1), index), np.full(2, index**2)
        >>> [y.tolist() for _, y in Squares()]
        [[0, 0], [1, 1], [4, 4]]
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """Return a batch: (x, y), (x, y, sample_weight) or (x,)."""
        raise NotImplementedError(f"`{type(self).__name__}` must implement `__getitem__`.")

    @property
    def num_batches(self) -> int | None:
        """Number of batches; None for a data set without an end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"`{type(self).__name__}` must implement `__len__` or `num_batches`."
        )

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""

    def __iter__(self) -> Iterator[Any]:
        number = 0
        while self.num_batches is None or number < self.num_batches:
            yield self[number]
            number += 1
