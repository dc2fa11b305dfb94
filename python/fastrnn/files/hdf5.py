"""HDF5 files: written in memory, read without following anything out of the file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from fastrnn.files.errors import InvalidFileError, error_context
from fastrnn.files.heaps import check_heaps

if TYPE_CHECKING:
    import h5py

# An attribute with more is refused by HDF5's older layout, which Keras writes and reads.
_ATTRIBUTE_LIMIT = 64512


@contextmanager
def reading(file: BinaryIO, source: str) -> Iterator[h5py.File]:
    """Open the HDF5 file that a binary file holds.

    Args:
        file: Opened for reading.
        source: Its name, for messages.

    Raises:
        InvalidFileError: If it is not an HDF5 file, or damaged; also while it is read.
    """
    import h5py

    with error_context(source, ""):
        file.seek(0, os.SEEK_END)
        if not file.tell():
            raise InvalidFileError.at(source, "", "it is empty")
        check_heaps(file)
        with h5py.File(file, "r") as opened:
            yield opened


@contextmanager
def writing() -> Iterator[tuple[h5py.File, list[bytes]]]:
    """Make an HDF5 file in memory; its bytes stand in the list once the block has ended."""
    import h5py

    content: list[bytes] = []
    name = f"fastrnn-{id(content)}.h5"  # never on a disk: h5py tells open files apart by it
    with h5py.File(name, "w", driver="core", backing_store=False) as file:
        yield file, content
        file.flush()
        content.append(file.id.get_file_image())


def group_at(parent: h5py.Group, path: str, source: str) -> h5py.Group | None:
    """Return a group within a group, or None if there is none.

    Args:
        parent: The outer group.
        path: Names with slashes between them.
        source: Name of the file, for messages.

    Raises:
        InvalidFileError: If something on the way is not a group, or a link.
    """
    import h5py

    for name in path.split("/"):
        if parent.get(name, getlink=True) is None:
            return None
        parent = _child(parent, name, source)
        if not isinstance(parent, h5py.Group):
            raise InvalidFileError.at(source, path, f"'{name}' must be a group")
    return parent


def array_at(group: h5py.Group, path: str, shape: Sequence[int], source: str) -> np.ndarray:
    """Return the numbers of a dataset within a group.

    Args:
        group: The group.
        path: Names with slashes between them.
        shape: The shape that it must have: nothing is read, and no memory taken, for another.
        source: Name of the file, for messages.

    Raises:
        InvalidFileError: If it is missing, or has another shape, or holds no real numbers, or
            keeps them in another file.
    """
    import h5py

    folder, _, name = path.rpartition("/")
    inner = group_at(group, folder, source) if folder else group
    place = f"{group.name.rstrip('/')}/{path}"
    if inner is None or inner.get(name, getlink=True) is None:
        raise InvalidFileError.at(source, place, "it is missing")
    dataset = _child(inner, name, source)
    if not isinstance(dataset, h5py.Dataset):
        raise InvalidFileError.at(source, place, "it must be a dataset")
    if dataset.is_virtual or dataset.external:
        raise InvalidFileError.at(source, place, "its numbers must be in the file itself")
    if dataset.shape != tuple(shape):
        raise InvalidFileError.at(
            source, place, f"it must have shape {tuple(shape)}. Received: shape={dataset.shape}"
        )
    if dataset.dtype.kind not in "biuf":
        raise InvalidFileError.at(
            source, place, f"it must hold real numbers. Received: dtype={dataset.dtype}"
        )
    with error_context(source, place):
        return np.asarray(dataset[()])


def _child(group: h5py.Group, name: str, source: str) -> Any:
    """Return what a group holds under a name, unless it is a link to somewhere else."""
    import h5py

    link = group.get(name, getlink=True)
    place = f"{group.name.rstrip('/')}/{name}"
    if not isinstance(link, h5py.HardLink):
        raise InvalidFileError.at(source, place, f"links are not followed ({type(link).__name__})")
    with error_context(source, place):
        return group[name]


def strings_of(group: h5py.Group, name: str, source: str) -> list[str]:
    """Return an attribute that is a list of strings, in one piece or in numbered ones."""
    with error_context(source, f"attribute `{name}` of {group.name}"):
        if name in group.attrs:
            return [_text(value) for value in group.attrs[name]]
        found: list[str] = []
        piece = 0
        while f"{name}{piece}" in group.attrs:
            found += [_text(value) for value in group.attrs[f"{name}{piece}"]]
            piece += 1
        return found


def string_of(group: h5py.Group, name: str, source: str) -> str | None:
    """Return an attribute that is a string, or None if there is none."""
    with error_context(source, f"attribute `{name}`"):
        return _text(group.attrs[name]) if name in group.attrs else None


def write_strings(group: h5py.Group, name: str, values: Sequence[str]) -> None:
    """Write an attribute that is a list of strings, in several pieces if it is long."""
    encoded = [value.encode() for value in values]
    pieces = 1
    width = max(map(len, encoded), default=0)
    while width * -(-len(encoded) // pieces) > _ATTRIBUTE_LIMIT and pieces < len(encoded):
        pieces += 1
    if pieces == 1:
        group.attrs[name] = encoded
        return
    size = -(-len(encoded) // pieces)
    for piece, start in enumerate(range(0, len(encoded), size)):
        group.attrs[f"{name}{piece}"] = encoded[start : start + size]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if not isinstance(value, str):
        raise ValueError(f"it must be text. Received: {value!r}")
    return str(value)
