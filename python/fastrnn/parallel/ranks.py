"""The processes of a job, and what they tell each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


class RankError(RuntimeError):
    """Another process of the job has failed or ended, so that this one cannot go on."""


class Ranks:
    """The processes of a job; this class is a job of one.

    All ranks must call the same methods in the same order.

    Attributes:
        rank: Number of this process, from 0.
        size: Number of processes.
        bytes_sent: How many bytes this process has sent to others by `swap`.
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

    def share(self, numbers: np.ndarray) -> np.ndarray:
        """Return the numbers of all ranks, a row for each.

        Args:
            numbers: Those of this rank, as many as of every other.
        """
        return numbers[np.newaxis]

    def swap(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Hand a part to each rank; return the parts that all ranks have for this one.

        Args:
            parts: For each rank a contiguous float32 vector.
        """
        return list(parts)

    def failed(self, error: BaseException) -> None:
        """Tell the other ranks that this one leaves a piece of work with an error."""
