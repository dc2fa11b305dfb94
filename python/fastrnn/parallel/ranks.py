"""The processes of a job, and what they tell each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class RankError(RuntimeError):
    """Another process of the job has failed or ended, so that this one cannot go on."""


class Shared:
    """Numbers of all ranks, which may still be on their way.

    Args:
        numbers: A row for each rank, complete when `is_complete` says so.
        is_complete: Tells whether they are here; does not wait.
        wait: Waits for them.
    """

    def __init__(
        self,
        numbers: np.ndarray,
        is_complete: Callable[[], bool] = lambda: True,
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        self._numbers = numbers
        self.is_complete = is_complete
        self._wait = wait

    def result(self) -> np.ndarray:
        """Return the numbers; waits for them."""
        self._wait()
        return self._numbers


class Ranks:
    """The processes of a job; this class is a job of one.

    All ranks must call the same methods in the same order.

    Attributes:
        rank: Number of this process, from 0.
        size: Number of processes.
        bytes_sent: How many bytes this process has sent to others by `swap` and `start`.
        differ: Whether the same computation may have other last bits on another rank.
    """

    rank = 0
    size = 1
    bytes_sent = 0
    differ = False

    def gather(self, value: Any, what: str = "values") -> list[Any]:
        """Return the values of all ranks, in their order.

        Args:
            value: That of this rank; anything that can be pickled.
            what: What it is. A rank that gathers something else is an error.
        """
        return [value]

    def share(self, numbers: np.ndarray) -> Shared:
        """Begin to hand some numbers to all ranks.

        Args:
            numbers: Those of this rank, as many as of every other.
        """
        return Shared(numbers[np.newaxis])

    def start(
        self,
        sends: Sequence[tuple[int, np.ndarray]],
        receives: Sequence[tuple[int, np.ndarray]],
        phase: int,
    ) -> Callable[[], bool]:
        """Begin to send and to receive vectors of known lengths.

        All that is started belongs to the last `share`. Between two ranks, vectors of one phase
        arrive in the order in which they were sent.

        Args:
            sends: Ranks, and contiguous float32 vectors for them, which must stay as they are.
            receives: Ranks, and where to write what comes from them.
            phase: 0 or 1.

        Returns:
            A function that tells whether all of it is done; it does not wait.
        """
        return lambda: True

    def wait(self, is_complete: Callable[[], bool], what: str) -> None:
        """Wait for what was started.

        Args:
            is_complete: Tells whether it is done.
            what: What it is, for messages.
        """

    def swap(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Hand a part to each rank; return the parts that all ranks have for this one.

        Args:
            parts: For each rank a contiguous float32 vector.
        """
        return list(parts)

    def failed(self, error: BaseException) -> None:
        """Tell the other ranks that this one leaves a piece of work with an error."""
