"""The correction of running means that start at zero (Kingma and Ba, 2014)."""

from __future__ import annotations

import math

import numpy as np


def bias_correction(beta: float, t: int) -> np.float32:
    """Return `1 - beta**t` in float32, as Keras does: for a `beta` near 1 it is far from exact.

    The power is rounded once. NumPy's own has other bits on CPUs with AVX-512, and takes several
    times as long for a single number.

    Args:
        beta: How slowly the mean forgets.
        t: Number of the update, from 1 on.
    """
    return np.float32(1.0) - np.float32(math.pow(np.float32(beta), t))
