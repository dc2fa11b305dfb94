"""Ranks that talk by MPI."""

from __future__ import annotations

import os
import pickle
import time
import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.parallel import RankError, Ranks

_PARTS, _NOTES = 1, 2  # tags
_TURNS_PER_LOOK = 50  # turns of a wait between two looks at notes
_TURNS_AWAKE = 5_000  # turns before a wait sleeps: some milliseconds
_NAP = 5e-5  # seconds


class MpiRanks(Ranks):
    """The processes that `mpiexec` has started.

    A rank that fails sends the others a note. They look for notes while they wait for it, and raise
    an error instead of waiting for ever. A wait gives its core away when nothing comes for some
    milliseconds.

    Args:
        mpi: The module `mpi4py.MPI`.
    """

    def __init__(self, mpi: Any) -> None:
        self._mpi = mpi
        self._world = mpi.COMM_WORLD.Dup()
        self._notes = mpi.COMM_WORLD.Dup()
        self.rank = int(self._world.Get_rank())
        self.size = int(self._world.Get_size())
        self.bytes_sent = 0
        self._done = 0  # exchanges that this rank has completed
        self._own_failures: set[int] = set()  # values of `_done` at which this rank failed
        self._received: list[tuple[int, int, bool, str]] = []
        self._sent: list[Any] = []  # notes must live until they have been read
        self._broken = ""

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, in their order."""
        if self.size == 1:
            return [value]
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        own = np.frombuffer(data + b"\0" * (-len(data) % 4), np.float32)
        parts = self.swap([own] * self.size)
        return [value if r == self.rank else pickle.loads(p.data) for r, p in enumerate(parts)]

    def share(self, numbers: np.ndarray) -> np.ndarray:
        """Return the numbers of all ranks, a row for each."""
        found = np.empty((self.size, *numbers.shape), numbers.dtype)
        self._wait([self._world.Iallgather(numbers, found)])
        return found

    def swap(
        self, parts: Sequence[np.ndarray], sizes: Sequence[int] | None = None
    ) -> list[np.ndarray]:
        """Hand a part to each rank; return the parts that all ranks have for this one."""
        if sizes is None:
            wanted = np.empty(self.size, np.int64)
            given = np.array([len(part) for part in parts], np.int64)
            self._wait([self._world.Ialltoall(given, wanted)])
            sizes = wanted.tolist()
        found = [np.empty(size, np.float32) for size in sizes]
        found[self.rank] = parts[self.rank]
        requests = []
        for step in range(1, self.size):  # each pair at its own time, not all to rank 0 first
            source, target = (self.rank - step) % self.size, (self.rank + step) % self.size
            requests.append(self._world.Irecv(found[source], source, _PARTS))
            requests.append(self._world.Isend(parts[target], target, _PARTS))
            self.bytes_sent += parts[target].nbytes
        self._wait(requests)
        return found

    def failed(self, error: BaseException) -> None:
        """Send the others a note that says what went wrong here."""
        if self.size == 1:
            return
        text = "".join(traceback.format_exception(error))
        self._own_failures.add(self._done)
        self._send_note(bool(self._broken), text)

    def leave(self) -> None:
        """Send the others a note that this program ends; after a failure end them all."""
        if self._broken:
            self._mpi.COMM_WORLD.Abort(1)
        if self.size > 1:
            self._send_note(
                True,
                "Its program has ended: `fit`, `evaluate` and `predict` must be called by all "
                "ranks alike.",
            )

    def _send_note(self, is_final: bool, text: str) -> None:
        data = pickle.dumps((self._done, is_final, text))
        for rank in range(self.size):
            if rank != self.rank:
                self._sent.append((data, self._notes.Isend([data, self._mpi.BYTE], rank, _NOTES)))

    def _wait(self, requests: list[Any]) -> None:
        """Wait until an exchange is complete.

        Raises:
            RankError: If a rank will not take part in it.
        """
        if self._broken:
            raise RankError(f"The ranks cannot work together any more: {self._broken}")
        turns = 0
        while not self._mpi.Request.Testall(requests):
            turns += 1
            if turns % _TURNS_PER_LOOK == 0:
                self._look_at_notes()
                if turns > _TURNS_AWAKE:
                    time.sleep(_NAP)
                else:
                    os.sched_yield()
        self._done += 1

    def _look_at_notes(self) -> None:
        while self._notes.Iprobe(tag=_NOTES):
            message = self._notes.Mprobe(tag=_NOTES, status=(status := self._mpi.Status()))
            data = bytearray(status.Get_count(self._mpi.BYTE))
            message.Recv([data, self._mpi.BYTE])
            self._received.append((status.Get_source(), *pickle.loads(data)))
        for rank, done, is_final, text in self._received:
            # A rank that failed where this one failed too may go on with the same exchange.
            if done <= self._done and (is_final or done not in self._own_failures):
                self._broken = f"rank {rank} has failed."
                raise RankError(f"Rank {rank} does not go on. {text}")
