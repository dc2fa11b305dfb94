"""Activations on their own."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.ops.arrays import Floats


def activation_forward(x: ArrayLike, activation: str) -> Floats:
    """Applies an activation, one of `ACTIVATIONS`, to each element.

    Example:
        >>> from fastrnn import ops
        >>> ops.activation_forward([-1.0, 0.0, 2.0], "relu")
        array([0., 0., 2.], dtype=float32)
    """
    return _core.activation_forward(x, activation)


def activation_backward(y: ArrayLike, d_y: ArrayLike, activation: str) -> Floats:
    """Inverts `activation_forward`, whose *output* is y: the gradient of x from that of y."""
    return _core.activation_backward(y, d_y, activation)
