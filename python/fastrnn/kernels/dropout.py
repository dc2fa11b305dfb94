"""Dropout of arrays."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.kernels.arrays import Floats


def dropout(x: ArrayLike, seed: int, rate: float) -> Floats:
    """Sets elements to 0 with probability `rate`, and divides the others by `1 - rate`.

    Which elements are kept is a function of the seed and their number alone: the same for any
    number of threads and on any CPU. So the gradient of x is `dropout(d_y, seed, rate)`. The random
    numbers are those of Threefry 2x32-20 (Salmon et al., 2011).

    Args:
        x: array of any shape.
        seed: in [0, 2^64).
        rate: in [0, 1].

    Returns:
        An array of the same shape.

    Raises:
        TypeError: If the seed is not such an integer.
        ValueError: If the rate is not in [0, 1].

    Example:
        >>> from fastrnn import kernels
        >>> kernels.dropout([1.0, 2.0, 3.0, 4.0], seed=1, rate=0.5)
        array([2., 0., 0., 8.], dtype=float32)
    """
    return _core.dropout(x, seed, rate)
