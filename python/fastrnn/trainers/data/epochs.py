"""Batches by the epoch: passes over a feed, or a given number of steps."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from fastrnn.trainers.data.batch import Batch, Feed


class Epochs:
    """The batches of each epoch.

    Without a number of steps an epoch is one pass. With it, a pass may take several epochs: each
    goes on where the last one ended, and a pass that has ended begins anew with the next epoch.

    Args:
        feed: What yields batches.
        steps: Batches per epoch, or None.
    """

    def __init__(self, feed: Feed, steps: int | None = None) -> None:
        self._feed = feed
        self._limit = steps
        self._pass: Iterator[Batch] | None = None

    @property
    def steps(self) -> int | None:
        """Number of batches of an epoch; None if it is not known before."""
        return self._limit or self._feed.steps

    def ran_out(self) -> bool:
        """Return whether no further epoch is possible; warns if so."""
        if self._feed.ran_out():
            _warn()
            return True
        return False

    def __iter__(self) -> Iterator[Batch]:
        self._feed.on_epoch_begin()
        yield from self._feed if self._limit is None else self._limited(self._limit)
        self._feed.on_epoch_end()

    def _limited(self, steps: int) -> Iterator[Batch]:
        if self._pass is None:
            self._pass = iter(self._feed)
        for taken in range(steps):
            batch = next(self._pass, None)
            if batch is None and taken == 0:  # the last epoch ended with its pass
                self._pass = iter(self._feed)
                batch = next(self._pass, None)
            if batch is None:
                _warn()
                self._pass = None
                return
            yield batch


def _warn() -> None:
    warnings.warn(
        "`x` ran out of batches: it must yield `steps_per_epoch * epochs` of them, or be something "
        "that can be walked again.",
        stacklevel=2,
    )
