"""Files of plain values and arrays, nested as they like: `.npz` with JSON in it, no pickle."""

from __future__ import annotations

import io
import json
import os
from typing import Any

import numpy as np

from fastrnn.files.errors import InvalidFileError, error_context
from fastrnn.results import without_numpy
from fastrnn.state import is_plain_array

_TREE = "tree.json"


def state_bytes(state: Any) -> bytes:
    """Return the bytes of a file.

    Args:
        state: None, booleans, numbers, strings and NumPy arrays, in lists, tuples and dicts, whose
            keys are strings or integers.

    Raises:
        TypeError: If something else is among it; the message says where.
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_packed(state, arrays, "state")).encode()
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{_TREE: np.frombuffer(text, np.uint8)}, **arrays)
    return buffer.getvalue()


def read_state(path: str | os.PathLike[str]) -> Any:
    """Return what a file holds.

    Raises:
        InvalidFileError: If it is damaged or of another kind; the message names it.
        OSError: If it cannot be read.
    """
    source = os.fspath(path)
    with open(source, "rb") as file, error_context(source, ""):
        # The archive has checksums, so that damage does not become numbers.
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile) or _TREE not in archive:
            raise InvalidFileError.at(source, "", f"it must be an archive with a {_TREE}")
        return _unpacked(json.loads(archive[_TREE].tobytes()), archive)


def _packed(value: Any, arrays: dict[str, np.ndarray], place: str) -> Any:
    """Return a value for JSON, in which all but lists and scalars are dicts of one entry."""
    value = without_numpy(value)
    if value is None or type(value) in (bool, int, float, str):
        return value
    if is_plain_array(value):
        name = str(len(arrays))
        arrays[name] = np.asarray(value)
        return {"array" if isinstance(value, np.ndarray) else "scalar": name}
    if type(value) is dict and all(type(key) in (int, str) for key in value):
        return {
            "dict": [
                [key, _packed(each, arrays, f"{place}[{key!r}]")] for key, each in value.items()
            ]
        }
    if type(value) in (list, tuple):
        items = [_packed(each, arrays, f"{place}[{i}]") for i, each in enumerate(value)]
        return items if type(value) is list else {"tuple": items}
    raise TypeError(
        f"Only plain values and arrays can be written. Received: {place} = {value!r} "
        f"(of type {type(value).__name__})"
    )


def _unpacked(value: Any, arrays: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(each, arrays) for each in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "dict":
        return {key: _unpacked(each, arrays) for key, each in content}
    if kind == "tuple":
        return tuple(_unpacked(each, arrays) for each in content)
    return arrays[content] if kind == "array" else arrays[content][()]
