"""Batches, and what yields them to the loops of training and testing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from fastrnn import random


class Batch(NamedTuple):
    """Checked and converted arrays, of one batch or of a whole data set.

    Attributes:
        x: The array of each input of the model.
        y: The labels of each output, None for one without loss and metrics; None where only
            predictions are wanted.
        sample_weight: For each output the weight of each sample or of each step, or None.
        mask: For each input its mask `[batch, steps]`, False for the padding of sequences of
            differing lengths, or None.
        rows: Number of rows of the whole batch, where these are the share of one of several
            processes; None where they are all.
    """

    x: tuple[np.ndarray, ...]
    y: tuple[np.ndarray | None, ...] | None = None
    sample_weight: tuple[np.ndarray | None, ...] | None = None
    mask: tuple[np.ndarray | None, ...] | None = None
    forms: tuple[Any, Any, Any] | None = None
    rows: int | None = None

    def own_steps(self) -> np.ndarray | None:
        """Return how many steps of each row are no padding; None where that is not known.

        Of sequences of differing lengths the mask tells. Tokens of 0 count as padding: layers leave
        them out, or walk through those that all rows begin with only once.
        """
        masks = [mask for mask in self.mask or () if mask is not None]
        counted = masks or [each for each in self.x if holds_tokens(each)]
        if not counted:
            return None
        steps: np.ndarray = np.sum([np.count_nonzero(each, axis=1) for each in counted], axis=0)
        return steps

    def part(self, rows: slice | np.ndarray) -> Batch:
        """Return some rows; views of them where they stand together."""
        fields: list[Any] = [
            arrays and tuple([None if array is None else array[rows] for array in arrays])
            for arrays in self[:4]
        ]
        return Batch(*fields)


class Feed:
    """Batches of one data set; each `iter` is one pass over it.

    Attributes:
        steps: Number of batches of a pass; None if that is not known before.
        share: Returns the rows of a batch that are those of this process, from the number of its
            rows and from what tells the steps of each (`Batch.own_steps`); None for all. What
            `peek` returns is not shared out.
    """

    steps: int | None = None
    share: Callable[[int, Callable[[], np.ndarray | None]], slice | np.ndarray] | None = None

    def __iter__(self) -> Iterator[Batch]:
        raise NotImplementedError(f"`{type(self).__name__}` must implement `__iter__`.")

    def peek(self) -> Batch:
        """Return a batch, to learn the shapes from; the next pass still yields it.

        Raises:
            ValueError: If there is none.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `peek`.")

    def ran_out(self) -> bool:
        """Return whether there will be no further batch, in this pass and in any other."""
        return False

    def get_state(self) -> dict[str, Any]:
        """Return what the data themselves keep from batch to batch, as plain values."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned."""

    def state_before_pass(self) -> dict[str, Any]:
        """Return the random numbers and the state of the data with which the next pass begins."""
        return {"random": random.get_state(), "data": self.get_state()}

    def forget(self) -> None:
        """Let the next pass begin at the first batch, even if `peek` has taken it; if possible."""

    def batch_sizes(self) -> set[int]:
        """Return the sizes of the batches, as far as they are known before."""
        return set()

    def on_epoch_begin(self) -> None:
        """Called before the first batch of each epoch."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of each epoch."""


def holds_tokens(x: Any) -> bool:
    """Return whether an input holds a token for each step of each row."""
    return bool(x.ndim == 2 and x[:1].dtype.kind == "i")
