"""How data sets are shuffled and split, with Keras's order for each seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastrnn.datasets.npz import read_npz

Split = tuple[np.ndarray, np.ndarray]


def shuffle(x: np.ndarray, y: np.ndarray, generator: np.random.RandomState) -> Split:
    """Return samples and labels in an order that the generator draws."""
    indices = np.arange(len(x))
    generator.shuffle(indices)
    return x[indices], y[indices]


def check_test_split(test_split: float) -> None:
    """Check a fraction of samples to test with.

    Raises:
        ValueError: If it is not in [0, 1).
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be in [0, 1). Received: test_split={test_split!r}")


def split(x: np.ndarray, y: np.ndarray, test_split: float) -> tuple[Split, Split]:
    """Return the first samples to train with, and the last ones to test with."""
    train = int(len(x) * (1 - test_split))
    return (x[:train], y[:train]), (x[train:], y[train:])


def load_splits(file: Path) -> tuple[Split, Split]:
    """Read a file that holds `x_train`, `y_train`, `x_test` and `y_test`.

    Raises:
        ValueError: If it is damaged, or samples and labels are not of one number.
    """
    arrays = _read(file, ("x_train", "y_train", "x_test", "y_test"))
    train, test = arrays[:2], arrays[2:]
    for x, y in (train, test):
        _check_pair(file, x, y)
    return (train[0], train[1]), (test[0], test[1])


def load_pair(file: Path) -> Split:
    """Read a file that holds `x` and `y`.

    Raises:
        ValueError: If it is damaged, or samples and labels are not of one number.
    """
    x, y = _read(file, ("x", "y"))
    _check_pair(file, x, y)
    return x, y


def _read(file: Path, names: tuple[str, ...]) -> list[np.ndarray]:
    arrays = read_npz(file)
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ValueError(f"`{file}` must hold the arrays {', '.join(names)}. It has no {missing}.")
    return [arrays[name] for name in names]


def _check_pair(file: Path, x: np.ndarray, y: np.ndarray) -> None:
    if not x.ndim or y.ndim != 1 or len(x) != len(y):
        raise ValueError(
            f"`{file}` must have a label for each sample. Received: shapes {x.shape}, {y.shape}"
        )
