"""Handwritten digits (LeCun et al., 1998), 28 x 28 pixels: a sequence of rows or of pixels."""

from __future__ import annotations

import os

from fastrnn.datasets.cache import ORIGIN, locate
from fastrnn.datasets.splitting import Split, load_splits
from fastrnn.files.download import PublicFile

DIGITS = PublicFile(
    ORIGIN + "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
)


def load_data(path: str | os.PathLike[str] = "mnist.npz") -> tuple[Split, Split]:
    """Load the digits: 60,000 to train with and 10,000 to test with.

    Args:
        path: Path of the file, or its name: `fastrnn.datasets.cache.locate` says where it is
            searched.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `x` is a uint8 array [samples, 28, 28] of gray
        values from 0 to 255, `y` a uint8 array of digits.

    Raises:
        ValueError: If the file is damaged or not safe.
        FileNotFoundError: If `path` has a folder and does not exist.
        OSError: If the file has to be downloaded and that fails.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> rows = x_train / 255  # [60000, 28 steps, 28 features]  # doctest: +SKIP
    """
    return load_splits(locate(path, DIGITS))
