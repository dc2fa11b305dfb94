"""One-hot vectors as tokens: on every ISA level, of any size, for any number of threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fastrnn import kernels

SIZES = (1, 3, 4, 7, 8, 9, 15, 16, 17, 60, 64, 65, 1000, 4096)


def vectors(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """One-hot vectors and some zeros, `[rows, 2, size]`, and their tokens."""
    tokens = rng.integers(0, size + 1, (20_000 // size + 3, 2))
    tokens[0] = (0, size)
    tokens[-1] = (size - 1, 0)
    return np.eye(size + 1, size, dtype=np.float32)[tokens], tokens


@pytest.mark.parametrize("size", SIZES)
def test_the_place_of_each_one(
    size: int, isa: str, rng: np.random.Generator, set_threads: Callable[[int], None]
) -> None:
    x, tokens = vectors(rng, size)
    x[tokens == size] = -0.0
    for threads in (1, 3):
        set_threads(threads)
        got = kernels.one_hot_tokens(x)
        assert got is not None
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got, tokens)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("value", [1.0, 2.0, -1.0, 0.99999994, 1e-45, np.nan, np.inf])
def test_any_other_value_anywhere(
    size: int, value: float, isa: str, rng: np.random.Generator
) -> None:
    x, tokens = vectors(rng, size)
    places = {0, size - 1, int(rng.integers(size))}
    for row in (0, len(x) // 2, len(x) - 1):
        for place in places:
            if value == 1.0 and tokens[row, 1] in (place, size):
                continue  # one-hot still
            spoiled = x.copy()
            spoiled[row, 1, place] = value
            assert kernels.one_hot_tokens(spoiled) is None, (row, place)


def test_no_vectors_and_too_large_ones() -> None:
    found = kernels.one_hot_tokens(np.zeros((0, 3), np.float32))
    assert found is not None
    assert found.shape == (0,)
    with pytest.raises(ValueError, match=r"`x` must have at most 4096 features. Received: shape="):
        kernels.one_hot_tokens(np.zeros((1, 4097), np.float32))
    with pytest.raises(ValueError, match=r"features >= 1"):
        kernels.one_hot_tokens(np.zeros((2, 0), np.float32))
