"""A tape inside of a framework that can only keep tensors."""

from __future__ import annotations

import secrets
import weakref
from typing import Any

import numpy as np

from fastrnn._core import Tape

# Frameworks take an array's memory without a copy if it is aligned like this, in bytes.
_ALIGNMENT = 64


class TapeOwner:
    """Keeps a tape as long as an array, or a tensor made of it without a copy, lives.

    The array's memory belongs to this object: the object, and with it the tape, goes when the last
    tensor of that memory goes.

    Args:
        tape: The tape, or None.
        numbered: Whether the array holds a number by which `tape_owner` finds this object, which
            also serves where the tensor has been copied. Else the array holds 0, and its address
            is the number.
    """

    def __init__(self, tape: Tape | None, numbered: bool) -> None:
        self._tapes = [] if tape is None else [tape]
        room = np.zeros(_ALIGNMENT + 8, np.uint8)
        begin = -room.ctypes.data % _ALIGNMENT
        self._memory = room[begin : begin + 8].view(np.int64)
        if numbered:
            self._memory[0] = -1 - secrets.randbits(62)  # below all addresses
        _owners[int(self._memory[0]) or self._memory.ctypes.data] = self

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self._memory.__array_interface__

    def array(self) -> np.ndarray:
        """Return the array, int64 of shape [1]."""
        return np.asarray(self)

    @property
    def tape(self) -> Tape | None:
        """The tape; None if there is none, or it has been taken."""
        return self._tapes[0] if self._tapes else None

    def take(self) -> Tape | None:
        """Return the tape to the first who asks, who may consume it; None to all others."""
        try:
            return self._tapes.pop()
        except IndexError:
            return None


_owners: weakref.WeakValueDictionary[int, TapeOwner] = weakref.WeakValueDictionary()


def tape_owner(number: int) -> TapeOwner | None:
    """Return the owner with a number; None if it is gone.

    Args:
        number: What its array holds, or the array's address.
    """
    return _owners.get(number)


def count_owners() -> int:
    """Return how many tapes are kept."""
    return len(_owners)
