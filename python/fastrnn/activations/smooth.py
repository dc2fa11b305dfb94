"""Smooth activations that the native kernels do not have."""

from __future__ import annotations

import math

import numpy as np

from fastrnn.activations.activation import Activation
from fastrnn.activations.native import sigmoid, softplus, tanh
from fastrnn.kernels.arrays import Floats

_ONE = np.float32(1.0)


@Activation
def exponential(x: Floats) -> Floats:
    """Return `exp(x)`.

    Args:
        x: Any shape.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> exponential([-1.0, 0.0, 2.0]).round(3)
        array([0.368, 1.   , 7.389], dtype=float32)
    """
    with np.errstate(over="ignore"):  # infinity is the answer
        return np.exp(x)


@exponential.gradient
def _(x: Floats, y: Floats, d_y: Floats) -> Floats:
    return d_y * y


@Activation
def silu(x: Floats) -> Floats:
    """Return `x * sigmoid(x)` (Ramachandran et al., 2017); `swish` is the same.

    Args:
        x: Any shape.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> silu([-1.0, 0.0, 2.0]).round(3)
        array([-0.269,  0.   ,  1.762], dtype=float32)
    """
    return x * sigmoid(x)


@silu.gradient
def _(x: Floats, y: Floats, d_y: Floats) -> Floats:
    gate = sigmoid(x)
    return d_y * (gate + y * (_ONE - gate))


@Activation
def mish(x: Floats) -> Floats:
    """Return `x * tanh(softplus(x))` (Misra, 2019).

    Args:
        x: Any shape.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> mish([-1.0, 0.0, 2.0]).round(3)
        array([-0.303,  0.   ,  1.944], dtype=float32)
    """
    return x * tanh(softplus(x))


@mish.gradient
def _(x: Floats, y: Floats, d_y: Floats) -> Floats:
    gate = tanh(softplus(x))
    slope: Floats = gate + x * sigmoid(x) * (1 - np.square(gate))
    return d_y * slope


@Activation
def squareplus(x: Floats, b: float = 4) -> Floats:
    """Return `(x + sqrt(x**2 + b)) / 2` (Barron, 2021).

    Args:
        x: Any shape.
        b: How wide the bend at 0 is.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> squareplus([-1.5, 0.0, 1.5])
        array([0.5, 1. , 2. ], dtype=float32)
    """
    y: Floats = np.float32(0.5) * (x + np.sqrt(x * x + np.float32(b)))
    return y


@squareplus.gradient
def _(x: Floats, y: Floats, d_y: Floats, b: float = 4) -> Floats:
    slope: Floats = np.float32(0.5) * (_ONE + x / np.sqrt(x * x + np.float32(b)))
    return d_y * slope


@Activation
def tanh_shrink(x: Floats) -> Floats:
    """Return `x - tanh(x)`.

    Args:
        x: Any shape.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> tanh_shrink([-1.0, 0.0, 2.0]).round(3)
        array([-0.238,  0.   ,  1.036], dtype=float32)
    """
    return x - tanh(x)


@tanh_shrink.gradient
def _(x: Floats, y: Floats, d_y: Floats) -> Floats:
    return d_y * np.square(tanh(x))


@Activation
def gelu(x: Floats, approximate: bool = False) -> Floats:
    """Return `x * P(X <= x)` for a normal X (Hendrycks and Gimpel, 2016).

    Args:
        x: Any shape.
        approximate: Whether to take `(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2` for
            the probability.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> gelu([-1.0, 0.0, 2.0]).round(3)
        array([-0.159,  0.   ,  1.954], dtype=float32)
    """
    return x * (_tanh_probability(x) if approximate else _normal_probability(x))


@gelu.gradient
def _(x: Floats, y: Floats, d_y: Floats, approximate: bool = False) -> Floats:
    if approximate:
        p = _tanh_probability(x)
        # (1 + tanh(u)) / 2 = p, so dp/du = 2 p (1 - p)
        density = 2 * p * (_ONE - p) * _TANH_SCALE * (_ONE + 3 * _TANH_CUBIC * x * x)
    else:
        p = _normal_probability(x)
        density = np.exp(np.float32(-0.5) * x * x) * np.float32(1 / math.sqrt(2 * math.pi))
    return d_y * (p + x * density)


_TANH_SCALE, _TANH_CUBIC = np.float32(math.sqrt(2 / math.pi)), np.float32(0.044715)


def _tanh_probability(x: Floats) -> Floats:
    # (1 + tanh(u)) / 2 = sigmoid(2 u)
    return sigmoid(2 * _TANH_SCALE * (x + _TANH_CUBIC * x * x * x))


# erfc(z) = t exp(-z^2 + P(t)) with t = 1 / (1 + z/2), relative error below 1.2e-7 for z >= 0
# (Press et al., Numerical Recipes, section 6.2).
_ERFC = (
    *(-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806),
    *(0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277),
)


def _normal_probability(x: Floats) -> Floats:
    """Return P(X <= x) for a standard normal X, `erfc(-x / sqrt(2)) / 2`."""
    z = np.abs(x.astype(np.float64)) * math.sqrt(0.5)
    t = 1 / (1 + 0.5 * z)
    tail = 0.5 * t * np.exp(np.polynomial.polynomial.polyval(t, _ERFC) - z * z)
    return np.where(x < 0, tail, 1 - tail).astype(np.float32)
