"""The arrays of a workload. Reviews are IMDB's where they can be had, generated ones otherwise."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from comparison.made_up import Inputs, MadeUpData
from comparison.number_windows import number_windows
from comparison.reviews import imdb_like_reviews
from comparison.workloads import NumberData, ReviewData

SOURCES = ("auto", "imdb", "generated")
FETCH_TIMEOUT = 10.0  # seconds without an answer; a machine without network must not hang
SEED = 20_240_607
ARRAYS = ("x_train", "y_train", "x_test", "y_test")


class Arrays(NamedTuple):
    """Inputs, labels, and where they are from.

    A model with several inputs has a list of arrays. Inputs are tokens [samples, steps] int32, or
    numbers [samples, steps, features] float32. Labels are [samples] float32; classes are int32,
    [samples] or [samples, steps].
    """

    x_train: Inputs
    y_train: np.ndarray
    x_test: Inputs
    y_test: np.ndarray
    source: str


@contextmanager
def _network_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reviews(data: ReviewData, source: str, train: int, test: int) -> tuple[list[tuple], str]:
    """The reviews and labels of both sets, and what they are."""
    reason = "as --data asks"
    if source != "generated":
        from fastrnn.datasets import imdb

        try:
            with _network_timeout(FETCH_TIMEOUT):
                (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=data.vocabulary)
        # Whatever kept the file away (no network, no disk, a broken copy), there is a substitute.
        # The chart's title has room for a few words only: the whole error goes to stderr.
        except Exception as error:
            if source == "imdb":
                raise
            reason = "IMDB not found; see --help"
            print(f"IMDB could not be loaded: {error}", file=sys.stderr)
        else:
            return [(x_train, y_train), (x_test, y_test)], "IMDB reviews"
    pairs = [
        imdb_like_reviews(samples, data.vocabulary, seed=SEED + offset)
        for offset, samples in enumerate((train, test))
    ]
    return pairs, f"generated reviews ({reason})"


def load(
    data: ReviewData | NumberData | MadeUpData,
    source: str = "auto",
    train: int = 25_000,
    test: int = 25_000,
) -> Arrays:
    """Makes the arrays of a workload, shuffled once.

    Every system gets these arrays and takes the batches in their order, so that all see the same
    batches.

    Args:
        data: What the samples are.
        source: Where reviews come from: one of `SOURCES`; `"auto"` falls back to the generator.
        train: Number of training samples; of reviews at most 25,000.
        test: Number of test samples; of reviews at most 25,000, and ignored for number windows.

    Returns:
        The arrays of both sets.
    """
    if isinstance(data, NumberData):
        arrays = number_windows(train, data.numbers, data.steps, SEED)
        return Arrays(*arrays, source=f"windows of 0, 1, 2 ... {data.numbers - 1}")
    if isinstance(data, ReviewData):
        return _load_reviews(data, source, train, test)
    arrays = [data.draw(samples, SEED + offset) for offset, samples in enumerate((train, test))]
    return Arrays(*arrays[0], *arrays[1], source=f"{data.note}, made up")


def _load_reviews(data: ReviewData, source: str, train: int, test: int) -> Arrays:
    """The reviews of a workload, padded."""
    from fastrnn.utils import pad_sequences

    pairs, description = _reviews(data, source, train, test)
    order = np.random.default_rng(SEED)
    arrays = []
    for (reviews, labels), samples in zip(pairs, (train, test), strict=True):
        chosen = order.permutation(len(reviews))[:samples]
        arrays.append(
            pad_sequences(
                [reviews[index] for index in chosen], maxlen=data.steps, padding=data.padding
            )
        )
        arrays.append(np.asarray(labels)[chosen].astype(np.float32))
    return Arrays(*arrays, source=description)


def each(inputs: Inputs, function: Callable[[np.ndarray], Any]) -> Any:
    """What a function makes of the inputs: of an array, or of each array of a list."""
    return list(map(function, inputs)) if isinstance(inputs, list) else function(inputs)


def samples_of(inputs: Inputs) -> int:
    """The number of samples."""
    return len(inputs[0] if isinstance(inputs, list) else inputs)


def save(arrays: Arrays, folder: Path) -> None:
    """Writes the arrays where the worker processes find them."""
    for name in ARRAYS:
        given = getattr(arrays, name)
        if isinstance(given, list):
            for number, array in enumerate(given):
                np.save(folder / f"{name}.{number}.npy", array)
        else:
            np.save(folder / f"{name}.npy", given)


def open_saved(folder: Path) -> dict[str, Any]:
    """Maps the saved arrays into memory; only the parts that are used are read."""

    def opened(name: str) -> Inputs:
        whole = folder / f"{name}.npy"
        if whole.exists():
            return np.load(whole, mmap_mode="r")
        parts = len(list(folder.glob(f"{name}.*.npy")))
        return [np.load(folder / f"{name}.{number}.npy", mmap_mode="r") for number in range(parts)]

    return {name: opened(name) for name in ARRAYS}
