"""Dropout by a seed, against Threefry in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fastrnn import kernels

BLOCKS = 16  # kBlocks of cpp/kernels/dropout.h
SEED = 0x89ABCDEF_01234567


def threefry(low: np.ndarray, high: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Threefry 2x32-20: two random words for each counter; the seed is the key, low word first."""
    keys = [seed & 0xFFFFFFFF, seed >> 32]
    keys.append(0x1BD11BDA ^ keys[0] ^ keys[1])
    a = low.astype(np.uint32) + np.uint32(keys[0])
    b = high.astype(np.uint32) + np.uint32(keys[1])
    for number in range(20):
        left = np.uint32((13, 15, 26, 6, 17, 29, 16, 24)[number % 8])
        a = a + b
        b = (b << left | b >> np.uint32(32 - left)) ^ a
        if number % 4 == 3:
            part = number // 4 + 1
            a = a + np.uint32(keys[part % 3])
            b = b + np.uint32((keys[(part + 1) % 3] + part) & 0xFFFFFFFF)
    return a, b


def kept(size: int, seed: int, rate: float) -> np.ndarray:
    """Which elements stay."""
    element = np.arange(size)
    block = element // (2 * BLOCKS) * BLOCKS + element % BLOCKS
    words = threefry(block, np.zeros(size), seed)
    return np.where(element // BLOCKS % 2 == 0, *words) >= int(rate * 2**32)


@pytest.mark.parametrize(
    ("counter", "seed", "words"),
    [
        ((0, 0), 0, (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF_FFFFFFFF, (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), 0x03707344_13198A2E, (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_the_yardstick_has_the_published_numbers(
    counter: tuple[int, int], seed: int, words: tuple[int, int]
) -> None:
    low, high = (np.array([word]) for word in counter)
    assert tuple(int(word[0]) for word in threefry(low, high, seed)) == words


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 31, 32, 33, 100, 70_001])
@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.999])
def test_it_keeps_what_the_numbers_say(
    size: int, rate: float, isa: str, rng: np.random.Generator
) -> None:
    x = rng.normal(size=size).astype(np.float32)
    scale = np.float32(1 / (1 - rate))
    want = np.where(kept(size, SEED, rate), x * scale, np.float32(0))
    np.testing.assert_array_equal(kernels.dropout(x, SEED, rate), want)


def test_any_number_of_threads(
    set_threads: Callable[[int], None], rng: np.random.Generator
) -> None:
    x = rng.normal(size=(7, 91, 157)).astype(np.float32)
    want = np.where(kept(x.size, 5, 0.3).reshape(x.shape), x * np.float32(1 / 0.7), 0)
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        np.testing.assert_array_equal(kernels.dropout(x, 5, 0.3), want)


def test_what_is_dropped_is_zero_whatever_it_was() -> None:
    x = np.full(1000, np.nan, np.float32)
    np.testing.assert_array_equal(kernels.dropout(x, 1, 0.5)[~kept(1000, 1, 0.5)], 0)
    np.testing.assert_array_equal(kernels.dropout(x, 1, 1), 0)


def test_bad_arguments() -> None:
    for rate in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"`rate` must be in \[0, 1\]"):
            kernels.dropout([1.0], 1, rate)
    for seed in (-1, 1 << 64, 1.5, None):
        with pytest.raises(TypeError):
            kernels.dropout([1.0], seed, 0.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`x` must"):
        kernels.dropout(["a"], 1, 0.5)  # type: ignore[list-item]
