"""Activations of arrays."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.kernels.arrays import Floats


def activation_forward(x: ArrayLike, activation: str) -> Floats:
    """Applies an activation to each element.

    Args:
        x: array of any shape.
        activation: one of `ACTIVATIONS`.

    Returns:
        An array of the same shape.

    Example:
        >>> from fastrnn import kernels
        >>> kernels.activation_forward([-1.0, 0.0, 2.0], "relu")
        array([0., 0., 2.], dtype=float32)
    """
    return _core.activation_forward(x, activation)


def activation_backward(y: ArrayLike, d_y: ArrayLike, activation: str) -> Floats:
    """Inverts `activation_forward`: the gradient of its input from that of its output.

    Args:
        y: what forward returned. The derivative is a function of it.
        d_y: gradient of y.
        activation: as given to forward.

    Returns:
        The gradient of x, of the same shape.

    Example:
        >>> from fastrnn import kernels
        >>> y = kernels.activation_forward([-1.0, 0.0, 2.0], "relu")
        >>> kernels.activation_backward(y, [1.0, 1.0, 1.0], "relu")
        array([0., 0., 1.], dtype=float32)
    """
    return _core.activation_backward(y, d_y, activation)
