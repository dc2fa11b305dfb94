"""The job that this process trains in, if there is one."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from fastrnn.parallel.groups import Groups
from fastrnn.parallel.ranks import Ranks

T = TypeVar("T")


class Job:
    """Processes that train one model together, and how they share out its batches.

    Args:
        ranks: The processes.
        groups: Number of row groups of a batch.

    Attributes:
        ranks: The processes.
        groups: The groups.
    """

    def __init__(self, ranks: Ranks, groups: int) -> None:
        self.ranks = ranks
        self.groups = Groups(groups, ranks.size)

    def share(self, rows: int, work: Callable[[], np.ndarray | None]) -> slice | np.ndarray:
        """Return the rows of this rank in a batch.

        Args:
            rows: Number of rows of the batch.
            work: Returns the work of each row, so that all ranks can be given the same; None where
                that is not known.
        """
        own = self.groups.share(self.ranks.rank, rows)
        known = work() if self.groups.number > 1 else None
        order = None if known is None else self.groups.balanced(known)
        return own if order is None else order[own]

    def any(self, flag: bool) -> bool:
        """Return whether a flag is set on some rank."""
        return (self.ranks.size > 1 and any(self.ranks.gather(bool(flag), "decisions"))) or bool(
            flag
        )

    def check_equal(self, what: str, own: Mapping[str, Any]) -> None:
        """Refuse to go on if ranks differ in something.

        Args:
            what: What is compared, for the message.
            own: Values of this rank by their names.

        Raises:
            ValueError: On all ranks, if one has other values than rank 0.
        """
        if self.ranks.size == 1:
            return
        first, *others = self.ranks.gather(dict(own), what)
        for rank, other in enumerate(others, 1):
            for name, value in first.items():
                if other.get(name) != value:
                    raise ValueError(
                        f"{what} must be the same on all ranks. Received: {name} is {value!r} on "
                        f"rank 0, {other.get(name)!r} on rank {rank}"
                    )

    @contextmanager
    def work(self) -> Iterator[None]:
        """Tell the other ranks if this one leaves the context with an error."""
        try:
            yield
        except BaseException as error:
            self.ranks.failed(error)
            raise


def _sendable(error: Exception) -> Exception:
    """Return an exception that other processes can read: itself, or one with its message."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


_current: Job | None = None


def current() -> Job | None:
    """Return the job of the distribution that is set; None if there is none."""
    return _current


def set_current(job: Job | None) -> None:
    """Set the job in which models are trained from here on."""
    global _current
    _current = job


def is_first() -> bool:
    """Return whether this process is rank 0, or the only one: the one that writes and prints."""
    return _current is None or _current.ranks.rank == 0


def on_first(function: Callable[[], T]) -> T:
    """Return what a function returns on rank 0, on all ranks.

    Raises:
        Exception: What it raised there, on all ranks.
    """
    if _current is None or _current.ranks.size == 1:
        return function()
    found: tuple[Any, Exception | None] = None, None
    if _current.ranks.rank == 0:
        try:
            found = function(), None
        except Exception as error:
            found = None, _sendable(error)
    value, failure = _current.ranks.gather(found, "what rank 0 has read")[0]
    if failure is not None:
        raise failure
    result: T = value
    return result
