"""Ranks that talk by MPI."""

from __future__ import annotations

import pickle
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fastrnn.parallel import RankError, Ranks, Shared

_PARTS, _NOTES = 1, 2  # tags
_FIRST_TAG, _TAGS = 16, 1 << 14  # of what is started; MPI allows 32,767 at least
_NUMBERS = "numbers"  # what a rank waits for after `share`
_TURNS_PER_LOOK = 50  # turns of a wait between two looks at notes and clock
_AWAKE = 1e-3  # seconds before a wait gives its core away
_NAP = 5e-5  # seconds for which it does
_PATIENCE = 5.0  # seconds of waiting after which a rank tells the others what it waits for


class _Note(NamedTuple):
    """What a rank tells the others beside their exchanges.

    Attributes:
        done: How many exchanges it had completed.
        turn: How often it had called `share`.
        kind: `"failed"`, `"ended"` or `"waits"`.
        is_final: Whether it takes part in no exchange any more.
        text: Its traceback, or what it waits for.
    """

    done: int
    turn: int
    kind: str
    is_final: bool
    text: str


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
        # A communicator for each kind of exchange: ranks that do different things do not read
        # each other's messages.
        self._world = mpi.COMM_WORLD.Dup()
        self._numbers = mpi.COMM_WORLD.Dup()
        self._notes = mpi.COMM_WORLD.Dup()
        self.rank = int(self._world.Get_rank())
        self.size = int(self._world.Get_size())
        self.bytes_sent = 0
        self._done = 0  # exchanges that this rank has completed
        # Each `share` begins a turn with tags of its own: what an error has left on its way is not
        # taken for what comes later.
        self._turn = 0
        self._started: list[list[Any]] = []  # requests, which keep the memory of vectors alive
        self._own_failures: set[int] = set()  # values of `_done` at which this rank failed
        self._received: list[tuple[int, _Note]] = []
        self._sent: list[Any] = []  # notes must live until they have been read
        self._broken = ""

    def gather(self, value: Any, what: str = "values") -> list[Any]:
        """Return the values of all ranks, in their order."""
        if self.size == 1:
            return [value]
        data = pickle.dumps((what, value), pickle.HIGHEST_PROTOCOL)
        own = np.frombuffer(data + b"\0" * (-len(data) % 4), np.float32)
        parts = self.swap([own] * self.size)
        found = [pickle.loads(part.data) for part in parts]
        for rank, (other, _) in enumerate(found):
            if other != what:
                self._broken = f"rank {rank} did something else."
                raise RankError(_out_of_order(rank, other, what))
        return [each for _, each in found]

    def share(self, numbers: np.ndarray) -> Shared:
        """Begin to hand some numbers to all ranks."""
        self._turn += 1
        is_done = self._mpi.Request.Testall
        self._started = [requests for requests in self._started if not is_done(requests)]
        found = np.empty((self.size, *numbers.shape), numbers.dtype)
        request = self._numbers.Iallgather(numbers, found)
        # It counts as one exchange with what is started after it: when it is waited for depends on
        # how far the others are, and `_done` must not.
        return Shared(found, request.Test, partial(self._wait, request.Test, _NUMBERS))

    def start(
        self,
        sends: Sequence[tuple[int, np.ndarray]],
        receives: Sequence[tuple[int, np.ndarray]],
        phase: int,
    ) -> Callable[[], bool]:
        """Begin to send and to receive vectors of known lengths."""
        tag = _FIRST_TAG + 2 * (self._turn % (_TAGS // 2)) + phase
        requests = [self._world.Irecv(vector, source, tag) for source, vector in receives]
        for target, vector in sends:
            requests.append(self._world.Isend(vector, target, tag))
            self.bytes_sent += vector.nbytes
        self._started.append(requests)
        return partial(self._mpi.Request.Testall, requests)

    def wait(self, is_complete: Callable[[], bool], what: str) -> None:
        """Wait for what was started."""
        self._wait(is_complete, what)
        self._done += 1

    def swap(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Hand a part to each rank; return the parts that all ranks have for this one."""
        found = list(parts)  # that of this rank stays, the others are replaced
        requests = []
        missing = []
        for step in range(1, self.size):  # each pair at its own time, not all to rank 0 first
            target = (self.rank + step) % self.size
            requests.append(self._world.Isend(parts[target], target, _PARTS))
            self.bytes_sent += parts[target].nbytes
            missing.append((self.rank - step) % self.size)

        def is_complete() -> bool:
            for source in missing[:]:
                status = self._mpi.Status()
                message = self._world.Improbe(source, _PARTS, status)
                if message is not None:  # only now its size is known
                    found[source] = np.empty(status.Get_count(self._mpi.FLOAT), np.float32)
                    requests.append(message.Irecv(found[source]))
                    missing.remove(source)
            return not missing and bool(self._mpi.Request.Testall(requests))

        self.wait(is_complete, "arrays")
        return found

    def failed(self, error: BaseException) -> None:
        """Send the others a note that says what went wrong here."""
        if self.size == 1:
            return
        text = "".join(traceback.format_exception(error))
        self._own_failures.add(self._done)
        self._send_note("failed", text)

    def leave(self) -> None:
        """Send the others a note that this program ends; after a failure end them all."""
        if self._broken:
            self._mpi.COMM_WORLD.Abort(1)
        if self.size > 1:
            self._send_note(
                "ended",
                "Its program has ended: `fit`, `evaluate` and `predict` must be called by all "
                "ranks alike.",
            )

    def _send_note(self, kind: str, text: str) -> None:
        is_final = bool(self._broken) or kind == "ended"
        data = pickle.dumps(_Note(self._done, self._turn, kind, is_final, text))
        for rank in range(self.size):
            if rank != self.rank:
                self._sent.append((data, self._notes.Isend([data, self._mpi.BYTE], rank, _NOTES)))

    def _wait(self, is_complete: Callable[[], bool], what: str) -> None:
        """Wait until an exchange is complete.

        Args:
            is_complete: Tells whether it is, and lets MPI work on it.
            what: What is exchanged.

        Raises:
            RankError: If a rank will not take part in it.
        """
        if self._broken:
            raise RankError(f"The ranks cannot work together any more: {self._broken}")
        turns, begin, said = 0, time.monotonic(), False
        while not is_complete():
            turns += 1
            if turns % _TURNS_PER_LOOK:
                continue
            self._look_at_notes(what)
            waited = time.monotonic() - begin
            if waited > _PATIENCE and not said:
                self._send_note("waits", what)
                said = True
            if waited > _AWAKE:
                time.sleep(_NAP)

    def _look_at_notes(self, what: str) -> None:
        while self._notes.Iprobe(tag=_NOTES):
            message = self._notes.Mprobe(tag=_NOTES, status=(status := self._mpi.Status()))
            data = bytearray(status.Get_count(self._mpi.BYTE))
            message.Recv([data, self._mpi.BYTE])
            self._received.append((int(status.Get_source()), pickle.loads(data)))
        for rank, note in self._received:
            if note.kind == "waits":
                # One may wait for what comes after the numbers for which this one still waits.
                ahead = note.turn == self._turn and _NUMBERS in (note.text, what)
                if note.done == self._done and note.text != what and not ahead:
                    self._broken = f"rank {rank} did something else."
                    raise RankError(_out_of_order(rank, note.text, what))
            # A rank that failed where this one failed too may go on with the same exchange.
            elif note.done <= self._done and (note.is_final or note.done not in self._own_failures):
                self._broken = f"rank {rank} has failed."
                raise RankError(f"Rank {rank} does not go on. {note.text}")


def _out_of_order(rank: int, other: str, own: str) -> str:
    return (
        f"Rank {rank} waits for {other} where this one waits for {own}: all ranks must call the "
        "same methods on the same data, in the same order."
    )
