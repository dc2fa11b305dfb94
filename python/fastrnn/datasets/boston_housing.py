"""Prices of houses around Boston in the 1970s (Harrison and Rubinfeld, 1978).

One of the 13 features, "B", rests on the assumption that racial segregation drives prices. Take
`california_housing` where you have the choice.
"""

from __future__ import annotations

import os

import numpy as np

from fastrnn.datasets.cache import ORIGIN, locate
from fastrnn.datasets.splitting import Split, check_test_split, load_pair, shuffle, split
from fastrnn.files.download import PublicFile

HOUSES = PublicFile(
    ORIGIN + "boston_housing.npz",
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
)


def load_data(
    path: str | os.PathLike[str] = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Split, Split]:
    """Load the features of 506 houses and their prices, shuffled.

    Args:
        path: Path of the file, or its name: `fastrnn.datasets.cache.locate` says where it is
            searched.
        test_split: Fraction of the samples to test with.
        seed: Seed of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `x` is an array [samples, 13], `y` an array of
        prices in thousands of dollars.

    Raises:
        ValueError: If `test_split` is not in [0, 1), or the file is damaged or not safe.
        FileNotFoundError: If `path` has a folder and does not exist.
        OSError: If the file has to be downloaded and that fails.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    check_test_split(test_split)
    x, y = load_pair(locate(path, HOUSES))
    return split(*shuffle(x, y, np.random.RandomState(seed)), test_split)
