"""Windows of a sequence of numbers, from which the next number is to be learned."""

from __future__ import annotations

import numpy as np

# One window in so many is kept for the test.
TEST_STRIDE = 10


def number_windows(
    samples: int, numbers: int, steps: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cuts 0, 1, 2, ... into windows.

    The sequence is divided by its length. Windows are repeated until there are enough of them.

    Args:
        samples: Number of training windows.
        numbers: Length of the sequence.
        steps: Length of a window.
        seed: The same seed gives the same order.

    Returns:
        x_train `[samples, steps, 1]` and y_train `[samples]`, x_test and y_test with each window
        that training does not see, once; float32.
    """
    sequence = np.arange(numbers, dtype=np.float32) / numbers
    windows = np.lib.stride_tricks.sliding_window_view(sequence, steps + 1)
    kept = np.arange(len(windows)) % TEST_STRIDE == TEST_STRIDE // 2
    train, test = windows[~kept], windows[kept]
    generator = np.random.default_rng(seed)
    repeats = -(-samples // len(train))
    order = np.concatenate([generator.permutation(len(train)) for _ in range(repeats)])[:samples]
    return (*_split(train[order]), *_split(test))


def _split(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inputs with their feature axis, and the number that follows each."""
    return np.ascontiguousarray(windows[:, :-1, None]), np.ascontiguousarray(windows[:, -1])
