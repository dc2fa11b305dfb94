"""Activations composed of straight lines, parabolas and exponentials."""

from __future__ import annotations

import numpy as np

from fastrnn.activations.activation import Activation
from fastrnn.activations.native import hard_sigmoid
from fastrnn.kernels.arrays import Floats

_ONE = np.float32(1.0)


@Activation
def leaky_relu(x: Floats, negative_slope: float = 0.2) -> Floats:
    """Return x where it is positive, else `negative_slope * x` (Maas et al., 2013).

    Args:
        x: Any shape.
        negative_slope: Slope below 0.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> leaky_relu([-1.0, 0.0, 2.0]).round(3)
        array([-0.2,  0. ,  2. ], dtype=float32)
    """
    return np.where(x > 0, x, np.float32(negative_slope) * x)


@leaky_relu.gradient
def _(x: Floats, y: Floats, d_y: Floats, negative_slope: float = 0.2) -> Floats:
    return d_y * np.where(x > 0, _ONE, np.float32(negative_slope))


@Activation
def celu(x: Floats, alpha: float = 1.0) -> Floats:
    """Return x where it is positive, else `alpha * (exp(x / alpha) - 1)` (Barron, 2017).

    Args:
        x: Any shape.
        alpha: Minus the value that is approached below 0.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> celu([-1.0, 0.0, 2.0]).round(3)
        array([-0.632,  0.   ,  2.   ], dtype=float32)
    """
    return np.where(x > 0, x, np.float32(alpha) * np.expm1(np.minimum(x, 0) / np.float32(alpha)))


@celu.gradient
def _(x: Floats, y: Floats, d_y: Floats, alpha: float = 1.0) -> Floats:
    return d_y * np.where(x > 0, _ONE, y / np.float32(alpha) + _ONE)


@Activation
def hard_tanh(x: Floats) -> Floats:
    """Return x clipped to [-1, 1].

    Args:
        x: Any shape.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> hard_tanh([-3.0, 0.5, 2.0])
        array([-1. ,  0.5,  1. ], dtype=float32)
    """
    return np.clip(x, -1, 1)


@hard_tanh.gradient
def _(x: Floats, y: Floats, d_y: Floats) -> Floats:
    return d_y * (np.abs(x) <= 1)


@Activation
def hard_silu(x: Floats) -> Floats:
    """Return `x * hard_sigmoid(x)` (Howard et al., 2019); `hard_swish` is the same.

    Args:
        x: Any shape.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> hard_silu([-1.0, 1.0, 3.0]).round(3)
        array([-0.333,  0.667,  3.   ], dtype=float32)
    """
    return x * hard_sigmoid(x)


@hard_silu.gradient
def _(x: Floats, y: Floats, d_y: Floats) -> Floats:
    gate = hard_sigmoid(x)
    return d_y * gate + hard_sigmoid.backward(x, gate, d_y * x)


@Activation
def hard_shrink(x: Floats, threshold: float = 0.5) -> Floats:
    """Return x where its size is above the threshold, else 0 (Donoho and Johnstone, 1994).

    Args:
        x: Any shape.
        threshold: Largest size that becomes 0.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> hard_shrink([-1.0, 0.25, 2.0])
        array([-1.,  0.,  2.], dtype=float32)
    """
    return np.where(np.abs(x) > threshold, x, np.float32(0.0))


@hard_shrink.gradient
def _(x: Floats, y: Floats, d_y: Floats, threshold: float = 0.5) -> Floats:
    return d_y * (np.abs(x) > threshold)


@Activation
def soft_shrink(x: Floats, threshold: float = 0.5) -> Floats:
    """Move x by the threshold towards 0, at most to 0 (Donoho and Johnstone, 1994).

    Args:
        x: Any shape.
        threshold: How far x is moved.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> soft_shrink([-1.0, 0.25, 2.0])
        array([-0.5,  0. ,  1.5], dtype=float32)
    """
    return x - np.clip(x, -np.float32(threshold), np.float32(threshold))


@soft_shrink.gradient
def _(x: Floats, y: Floats, d_y: Floats, threshold: float = 0.5) -> Floats:
    return d_y * (np.abs(x) > threshold)


# As in Keras its second argument has the name of the function.
@Activation
def threshold(x: Floats, threshold: float, default_value: float) -> Floats:
    """Return x where it is above the threshold, else `default_value`.

    Args:
        x: Any shape.
        threshold: What x must exceed to be kept.
        default_value: Replaces all other values.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> threshold([-1.0, 0.25, 2.0], 0.5, 9.0)
        array([9., 9., 2.], dtype=float32)
    """
    return np.where(x > threshold, x, np.float32(default_value))


@threshold.gradient
def _(x: Floats, y: Floats, d_y: Floats, threshold: float, default_value: float) -> Floats:
    return d_y * (x > threshold)


@Activation
def sparse_plus(x: Floats) -> Floats:
    """Return 0 below -1, x above 1, and in between the parabola `(x + 1)**2 / 4`.

    Its derivative is `sparse_sigmoid`.

    Args:
        x: Any shape.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> sparse_plus([-2.0, 0.0, 2.0])
        array([0.  , 0.25, 2.  ], dtype=float32)
    """
    return np.where(x < 1, np.float32(0.25) * np.square(np.maximum(x, -1) + _ONE), x)


@sparse_plus.gradient
def _(x: Floats, y: Floats, d_y: Floats) -> Floats:
    return d_y * sparse_sigmoid(x)


@Activation
def sparse_sigmoid(x: Floats) -> Floats:
    """Return `(x + 1) / 2` clipped to [0, 1] (Blondel et al., 2019).

    Args:
        x: Any shape.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> sparse_sigmoid([-2.0, 0.0, 0.5])
        array([0.  , 0.5 , 0.75], dtype=float32)
    """
    y: Floats = np.clip(np.float32(0.5) * (x + _ONE), 0, 1)
    return y


@sparse_sigmoid.gradient
def _(x: Floats, y: Floats, d_y: Floats) -> Floats:
    return np.where(np.abs(x) < 1, np.float32(0.5) * d_y, np.float32(0.0))
