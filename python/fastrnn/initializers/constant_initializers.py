"""Initializers without randomness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.initializers.base import Initializer


class Constant(Initializer):
    """Every element is `value`.

    Args:
        value: A number, or an array that broadcasts to the weight's shape.

    Example:
        >>> Constant(3.0)((2,))
        array([3., 3.], dtype=float32)
    """

    config_arguments: tuple[str, ...] = ("value",)

    def __init__(self, value: npt.ArrayLike = 0.0) -> None:
        self.value = value

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.value), shape)


class Zeros(Initializer):
    """Every element is 0.

    Example:
        >>> Zeros()((2,))
        array([0., 0.], dtype=float32)
    """

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape)


class Ones(Initializer):
    """Every element is 1.

    Example:
        >>> Ones()((2,))
        array([1., 1.], dtype=float32)
    """

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.ones(shape)


class Identity(Initializer):
    """`gain` times the identity matrix; for weights of two dimensions.

    Args:
        gain: Value on the diagonal.

    Raises:
        ValueError: On a call, if the shape does not have two dimensions.

    Example:
        >>> Identity(gain=2.0)((2, 2))
        array([[2., 0.],
               [0., 2.]], dtype=float32)
    """

    config_arguments: tuple[str, ...] = ("gain",)

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices only. Received: shape={shape}")
        return self.gain * np.eye(*shape)
