"""A check for damage in HDF5 files that would send the HDF5 library into an endless loop."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

# The head of a heap of strings ("global heap collection", HDF5 File Format Specification 3.0,
# III.E): signature, version 1, three zeros, then 8 bytes with the size of it all.
_SIGNATURE = b"GCOL\x01\0\0\0"
_HEAD = 16
# The head of an object in it: index, count of references, four zeros, 8 bytes with its size.
_OBJECT = struct.Struct("<HH4xQ")
_CHUNK = 1 << 24


def check_heaps(file: BinaryIO) -> None:
    """Check that the objects of each heap of strings follow each other up to its end.

    HDF5 1.14 adds up their sizes without looking: at one that leads nowhere it never ends.

    Args:
        file: The file, at any place.

    Raises:
        ValueError: If the objects lead nowhere.
    """
    for place in _places(file):
        file.seek(place + len(_SIGNATURE))
        size = int.from_bytes(file.read(8), "little")
        file.seek(place)
        heap = file.read(min(size, _CHUNK))
        at = _HEAD
        while at + _OBJECT.size <= len(heap):
            index, _, length = _OBJECT.unpack_from(heap, at)
            # The free space is number 0, and its size counts its head.
            step = _OBJECT.size + (length + 7) // 8 * 8 if index else length
            if step < _OBJECT.size or at + step > size:
                raise ValueError(f"the heap of strings at byte {place} is damaged")
            at += step


def _places(file: BinaryIO) -> Iterator[int]:
    """Find all heaps, a part of the file after the other."""
    begin, tail = 0, b""
    while True:
        file.seek(begin)
        chunk = file.read(_CHUNK)
        if not chunk:
            return
        text = tail + chunk
        found = text.find(_SIGNATURE)
        while found >= 0:
            yield begin - len(tail) + found
            found = text.find(_SIGNATURE, found + 1)
        begin += len(chunk)
        tail = text[-len(_SIGNATURE) + 1 :]
