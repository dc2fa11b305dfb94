"""Functions that prepare data: padding, one-hot labels, windows of a series."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from golden.answers import Arrays, numbered, parts
from golden.draws import draw

LIMITS = {"": 0.0}

SERIES = (17, 2)
_RAGGED = [[1, 2, 3], [4], [5, 6, 7, 8, 9], []]


def _padded(**arguments: Any) -> dict[str, Any]:
    arguments = {"sequences": _RAGGED, **arguments}
    return {"function": "pad_sequences", "arguments": arguments, "inputs": []}


def _windows(targets: bool = True, **arguments: Any) -> dict[str, Any]:
    return {
        "function": "timeseries_dataset_from_array",
        "arguments": {"sequence_length": 4, **arguments} | ({} if targets else {"targets": None}),
        "inputs": ["data", "targets"] if targets else ["data"],
    }


CASES: dict[str, Any] = {
    "pad": _padded(),
    "pad after": _padded(padding="post", value=-1, dtype="float32"),
    "pad and cut": _padded(maxlen=2),
    "pad and cut after": _padded(maxlen=2, truncating="post"),
    "one hot": {"function": "to_categorical", "arguments": {}, "inputs": ["x"]},
    "one hot of more": {
        "function": "to_categorical",
        "arguments": {"num_classes": 9},
        "inputs": ["x"],
    },
    "windows": _windows(),
    "windows alone": _windows(targets=False, batch_size=None),
    "windows apart": _windows(sequence_stride=3, sampling_rate=2, batch_size=2),
    "windows of a part": _windows(start_index=2, end_index=13, batch_size=5),
}


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    kinds = {"x": ("ids 4", (3, 2)), "data": ("normal", SERIES), "targets": ("normal", SERIES[:1])}
    return {name: draw(rng, *kinds[name]) for name in row["inputs"]}


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import keras

    return _answered(keras, row, given)


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    import fastrnn

    return _answered(fastrnn, row, given)


def _answered(library: ModuleType, row: dict[str, Any], given: Arrays) -> Arrays:
    result = getattr(library.utils, row["function"])(**given, **row["arguments"])
    if isinstance(result, np.ndarray):
        return {"array": result}
    answers: Arrays = {}
    for k, batch in enumerate(result):
        answers |= numbered(f"batch {k}", parts(batch))
    return answers
