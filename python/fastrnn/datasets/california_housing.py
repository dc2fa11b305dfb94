"""Prices of houses in the districts of California, from the census of 1990 (Pace and Barry, 1997).

The features of a district are its median income, median age of houses, rooms and bedrooms per
household, population, members of a household, latitude and longitude.
"""

from __future__ import annotations

import os

import numpy as np

from fastrnn.datasets.cache import ORIGIN, locate
from fastrnn.datasets.splitting import Split, check_test_split, load_pair, shuffle, split
from fastrnn.files.download import PublicFile

DISTRICTS = PublicFile(
    ORIGIN + "california_housing.npz",
    "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
)
_SAMPLES = {"small": 600, "large": None}


def load_data(
    version: str = "large",
    path: str | os.PathLike[str] = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Split, Split]:
    """Load the features of the districts and their median prices, shuffled.

    Args:
        version: `"large"` for all 20,640 districts, `"small"` for 600 of them.
        path: Path of the file, or its name: `fastrnn.datasets.cache.locate` says where it is
            searched.
        test_split: Fraction of the samples to test with.
        seed: Seed of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `x` is an array [samples, 8], `y` an array of
        prices in dollars.

    Raises:
        ValueError: If an argument is not valid, or the file is damaged or not safe.
        FileNotFoundError: If `path` has a folder and does not exist.
        OSError: If the file has to be downloaded and that fails.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data("small")  # doctest: +SKIP
    """
    check_test_split(test_split)
    if version not in _SAMPLES:
        raise ValueError(f'`version` must be "small" or "large". Received: version={version!r}')
    x, y = (each[: _SAMPLES[version]] for each in load_pair(locate(path, DISTRICTS)))
    return split(*shuffle(x, y, np.random.RandomState(seed)), test_split)
