"""Golden files: what was asked, the inputs, and what Keras answered."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from golden.answers import Arrays


class Golden(NamedTuple):
    """A case as it stands in a file.

    Attributes:
        row: The row of the table that it was made from.
        completed: The row with every config as Keras wrote it.
        given: The inputs.
        answers: What Keras answered.
    """

    row: Any
    completed: Any
    given: Arrays
    answers: Arrays


def save(file: Path, version: str, cases: Mapping[str, Golden]) -> None:
    """Write cases. All numbers stand in one vector of float32, those that occur twice once."""
    numbers: list[np.ndarray] = []
    starts: dict[bytes, int] = {}
    size = 0
    index: dict[str, Any] = {}
    for name, case in cases.items():
        entry: dict[str, Any] = {"row": case.row, "completed": case.completed}
        for part in ("given", "answers"):
            entry[part] = {}
            for key, array in getattr(case, part).items():
                dtype = np.dtype(np.float32) if array.dtype.kind == "f" else array.dtype
                flat = np.ravel(array).astype(np.float32)
                assert dtype.kind == "f" or (flat == np.ravel(array)).all(), f"{name} {key}"
                start = starts.setdefault(flat.tobytes(), size)
                if start == size:
                    numbers.append(flat)
                    size += flat.size
                entry[part][key] = [dtype.str, start, *array.shape]
        index[name] = entry
    text = json.dumps({"keras": version, "cases": index}, separators=(",", ":"))
    # First bytes with first bytes compress better.
    planes = np.concatenate(numbers).view(np.uint8).reshape(-1, 4).T
    np.savez_compressed(file, index=np.frombuffer(text.encode(), np.uint8), planes=planes)


@functools.cache
def load(file: Path) -> tuple[str, dict[str, Golden]]:
    """Return the version of Keras that answered, and the cases; the arrays cannot be written to."""
    with np.load(file) as stored:
        index = json.loads(stored["index"].tobytes())
        numbers = np.ascontiguousarray(stored["planes"].T).view(np.float32).ravel()

    def array(dtype: str, start: int, *shape: int) -> np.ndarray:
        flat = numbers[start : start + int(np.prod(shape))].astype(dtype)
        flat.flags.writeable = False
        return flat.reshape(shape)

    cases = {}
    for name, entry in index["cases"].items():
        given, answers = (
            {key: array(*where) for key, where in entry[part].items()}
            for part in ("given", "answers")
        )
        cases[name] = Golden(entry["row"], entry["completed"], given, answers)
    return index["keras"], cases
