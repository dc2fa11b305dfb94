"""Sequences of differing lengths, padded batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastrnn.layers.inputs import as_numbers
from fastrnn.random import generator
from fastrnn.trainers.data.arrays import sizes_of_batches
from fastrnn.trainers.data.batch import Batch, Feed

# So many shuffled batches at a time are sorted by length: enough for batches of like lengths, few
# enough that a sample meets other neighbours in each epoch.
_BATCHES_SORTED_AT_ONCE = 32


class Ragged:
    """Sequences of differing lengths, one after another in one array.

    Args:
        values: Their steps, `[steps of all sequences, ...]`.
        lengths: Number of steps of each.
    """

    def __init__(self, values: np.ndarray, lengths: np.ndarray) -> None:
        self.values = values
        self.lengths = lengths
        self._starts = np.cumsum(lengths) - lengths

    @classmethod
    def of(cls, sequences: Sequence[Any], name: str) -> Ragged:
        """Join a list of sequences.

        Args:
            sequences: Lists of numbers, or arrays `[steps, ...]` that differ in their steps only.
            name: What to call it in messages.

        Raises:
            TypeError: If they do not hold numbers.
            ValueError: If the elements of the sequences differ in shape.
        """
        parts = [as_numbers(each, name) for each in sequences]
        filled = [part for part in parts if part.size]
        if not filled:
            raise ValueError(f"`{name}` must hold at least one step. Received: empty sequences")
        element = filled[0].shape[1:]
        for row, part in enumerate(parts):
            if part.size and part.shape[1:] != element:
                raise ValueError(
                    f"The sequences of `{name}` may differ in their number of steps only: all "
                    f"elements must have the shape {element} of the first one. "
                    f"Received: shape={part.shape[1:]} in the sequence at position {row}"
                )
        return cls(np.concatenate(filled), np.array([len(part) for part in parts]))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, part: slice) -> Ragged:
        lengths = self.lengths[part]
        start = int(self.lengths[: part.start or 0].sum())
        return Ragged(self.values[start : start + int(lengths.sum())], lengths)

    def padded(self, rows: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Return some sequences with zeros in front.

        Args:
            rows: Which sequences.
            steps: Length of the result, at least that of the longest of them.

        Returns:
            The array `[rows, steps, ...]` and its mask `[rows, steps]`, False for the zeros.
        """
        position = np.arange(steps) - (steps - self.lengths[rows])[:, np.newaxis]
        mask = position >= 0
        result = np.zeros((*mask.shape, *self.values.shape[1:]), self.values.dtype)
        result[mask] = self.values[(self._starts[rows][:, np.newaxis] + position)[mask]]
        return result, mask


class RaggedFeed(Feed):
    """Batches of sequences, each padded to its longest one, with the mask of the padding.

    Args:
        x: The sequences.
        y: Labels, one for each sequence or one for each step; None for none.
        sample_weight: Weights, likewise.
        batch_size: Sequences per batch.
        shuffle: Whether each pass has an order of its own, in which sequences of like lengths
            meet; "batch", one within each batch, changes nothing here.
    """

    def __init__(
        self,
        x: Ragged,
        y: np.ndarray | Ragged | None,
        sample_weight: np.ndarray | Ragged | None,
        batch_size: int,
        shuffle: bool | str = False,
    ) -> None:
        self.x = x
        self._y = y
        self._sample_weight = sample_weight
        self.batch_size = batch_size
        self.steps: int = -(-len(x) // batch_size)
        self._shuffle = shuffle

    def __iter__(self) -> Iterator[Batch]:
        for rows in self._rows_of_batches():
            if self.share is None:
                yield self.batch(rows)
            else:  # padded like the whole batch
                share = self.share(len(rows), partial(self.x.lengths.__getitem__, rows))
                yield self.batch(rows[share], self._steps(rows))._replace(rows=len(rows))

    def _steps(self, rows: np.ndarray) -> int:
        return max(int(self.x.lengths[rows].max()), 1)

    def batch(self, rows: np.ndarray, steps: int | None = None) -> Batch:
        """Return the batch of some sequences.

        Args:
            rows: Which sequences.
            steps: Steps to pad them to; None for those of the longest one.
        """
        steps = steps or self._steps(rows)
        x, mask = self.x.padded(rows, steps)
        labels, weight = _taken(self._y, rows, steps), _taken(self._sample_weight, rows, steps)
        return Batch(
            (x,),
            None if labels is None else (labels,),
            None if weight is None else (weight,),
            (mask,),
        )

    def _rows_of_batches(self) -> Iterator[np.ndarray]:
        samples, size = len(self.x), self.batch_size
        if not self._shuffle or self._shuffle == "batch":
            for start in range(0, samples, size):
                yield np.arange(start, min(start + size, samples))
            return
        order = generator().permutation(samples)
        for begin in range(0, samples, size * _BATCHES_SORTED_AT_ONCE):
            part = order[begin : begin + size * _BATCHES_SORTED_AT_ONCE]
            part = part[np.argsort(self.x.lengths[part], kind="stable")]
            for start in generator().permutation(range(0, len(part), size)):
                yield part[start : start + size]

    def peek(self) -> Batch:
        """Return the first sequence alone."""
        return self.batch(np.arange(1))

    def batch_sizes(self) -> set[int]:
        """Return the sizes of the batches: one or two."""
        return sizes_of_batches(len(self.x), self.batch_size)


def is_ragged(value: Any) -> bool:
    """Return whether a value is a list, object array or Series of sequences of any length."""
    if hasattr(value, "to_numpy") and getattr(value, "ndim", 0) == 1:  # a pandas Series
        value = value.to_numpy()
    if isinstance(value, np.ndarray):
        return value.dtype == object and value.ndim == 1 and _all_have_lengths(value)
    if not isinstance(value, (list, tuple)) or not _all_have_lengths(value):
        return False
    return len({len(each) for each in value}) > 1


def _all_have_lengths(values: Any) -> bool:
    return len(values) > 0 and all(
        hasattr(each, "__len__") and not isinstance(each, (str, bytes, dict)) for each in values
    )


def _taken(values: np.ndarray | Ragged | None, rows: np.ndarray, steps: int) -> np.ndarray | None:
    if isinstance(values, Ragged):
        return values.padded(rows, steps)[0]
    return None if values is None else values.take(rows, axis=0)
