"""Batches by the epoch: passes over a feed, or a given number of steps."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from fastrnn import random
from fastrnn.trainers.data.batch import Batch, Feed


class Epochs:
    """The batches of each epoch.

    Without a number of steps an epoch is one pass. With it, a pass may take several epochs: each
    goes on where the last one ended; when a pass has ended, the next epoch begins another one.

    Args:
        feed: What yields batches.
        steps: Batches per epoch, or None.
    """

    def __init__(self, feed: Feed, steps: int | None = None) -> None:
        self._feed = feed
        self._limit = steps
        self._pass: Iterator[Batch] | None = None
        self._taken = 0  # batches of this pass
        self._before: dict[str, Any] | None = None  # the feed's `state_before_pass` of this pass
        self._behind = 0  # batches of the coming epoch, after `set_state`

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
        behind, self._behind = self._behind, 0
        if not behind:
            if self._limit is None:
                self._pass = None
            self._remember()
            self._feed.on_epoch_begin()
        if self._limit is None:
            while (batch := self._next()) is not None:
                yield batch
        else:
            yield from self._limited(behind, self._limit)
        self._feed.on_epoch_end()

    def _limited(self, behind: int, steps: int) -> Iterator[Batch]:
        for taken in range(behind, steps):
            batch = self._next()
            if batch is None and taken == 0:  # the last epoch ended with its pass
                self._remember()
                batch = self._next()
            if batch is None:
                _warn()
                return
            yield batch

    def _remember(self) -> None:
        """Note the random numbers from which a pass will draw its order."""
        if self._pass is None:
            self._taken = 0
            self._before = self._feed.state_before_pass()

    def _next(self) -> Batch | None:
        """Return the next batch of the pass, or None at its end."""
        if self._pass is None:
            self._pass = iter(self._feed)
        batch = next(self._pass, None)
        if batch is None:
            self._pass = None
        else:
            self._taken += 1
            if (share := self._feed.share) is not None and batch.rows is None:
                rows = len(batch.x[0])
                batch = batch.part(share(rows, batch.own_steps))._replace(rows=rows)
        return batch

    def get_state(self, behind: int) -> dict[str, Any]:
        """Return the place in the data.

        Args:
            behind: Number of batches of this epoch that were trained; 0 between two epochs.
        """
        place: dict[str, Any] = {"behind": behind, "taken": 0, "steps": self.steps}
        if behind or (self._limit is not None and self._pass is not None):
            place |= {"taken": self._taken, "before": self._before}
        return place

    def set_state(self, place: Mapping[str, Any]) -> None:
        """Skip batches up to a place in the data; the caller then sets the random numbers.

        Args:
            place: What `get_state` returned for the same data.

        Raises:
            ValueError: If the data have another number of batches.
        """
        taken = place["taken"]
        self._feed.forget()
        self._pass, self._behind = None, place["behind"]
        if not taken:
            return
        if place["steps"] != self.steps:
            raise ValueError(
                f"the data must have {place['steps']} batches in an epoch, as they had. "
                f"Received: {self.steps}"
            )
        self._before = place["before"]
        random.set_state(place["before"]["random"])
        self._feed.set_state(place["before"]["data"])
        if self._behind:
            self._feed.on_epoch_begin()
        self._taken = 0
        while self._taken < taken:
            if self._next() is None:
                raise ValueError(
                    f"the data must have at least {taken} batches. Received: {self._taken}"
                )


def _warn() -> None:
    warnings.warn(
        "`x` ran out of batches: it must yield `steps_per_epoch * epochs` of them, or be something "
        "that can be iterated again.",
        stacklevel=2,
    )
