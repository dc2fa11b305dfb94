"""Activations that mix the entries along an axis."""

from __future__ import annotations

import numpy as np

from fastrnn.activations.activation import Activation
from fastrnn.activations.native import sigmoid
from fastrnn.kernels.arrays import Floats


@Activation
def softmax(x: Floats, axis: int = -1) -> Floats:
    """Turn scores into probabilities: `exp(x) / sum(exp(x))` along `axis` (Bridle, 1990).

    Args:
        x: Scores, any shape with at least one dimension.
        axis: Dimension (or a tuple of them) whose entries add up to 1.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> softmax([[0.0, 0.0], [-100.0, 100.0]])
        array([[0.5, 0.5],
               [0. , 1. ]], dtype=float32)
    """
    # The largest score is subtracted because exp of it would overflow from 89 on.
    powers: Floats = np.exp(x - x.max(axis=axis, keepdims=True))
    powers /= powers.sum(axis=axis, keepdims=True)
    return powers


@softmax.gradient
def _(x: Floats, y: Floats, d_y: Floats, axis: int = -1) -> Floats:
    # y_i = exp(x_i) / sum_j exp(x_j), so d_x_i = y_i (d_y_i - sum_j d_y_j y_j)
    d_x: Floats = y * (d_y - (d_y * y).sum(axis=axis, keepdims=True))
    return d_x


@Activation
def log_softmax(x: Floats, axis: int = -1) -> Floats:
    """Return the logarithms of `softmax(x, axis)`.

    Args:
        x: Any shape.
        axis: Dimension (or a tuple of them) whose probabilities add up to 1.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> log_softmax([0.0, 0.0]).round(3)
        array([-0.693, -0.693], dtype=float32)
    """
    scores: Floats = x - x.max(axis=axis, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=axis, keepdims=True))
    return scores


@log_softmax.gradient
def _(x: Floats, y: Floats, d_y: Floats, axis: int = -1) -> Floats:
    d_x: Floats = d_y - np.exp(y) * d_y.sum(axis=axis, keepdims=True)
    return d_x


@Activation
def sparsemax(x: Floats, axis: int = -1) -> Floats:
    """Project scores onto the probabilities: return the closest point without negative entries.

    (In Keras 3.15.1 the result does not add up to 1 if more than one entry is above 0.)

    Args:
        x: Scores, any shape with at least one dimension.
        axis: Dimension whose entries add up to 1.

    Returns:
        `max(x - tau, 0)` with the tau that makes the sum 1 (Martins and Astudillo, 2016).

    Example:
        >>> sparsemax([0.5, 1.0, -1.0])
        array([0.25, 0.75, 0.  ], dtype=float32)
    """
    largest_first = -np.sort(-np.moveaxis(x, axis, -1), axis=-1)
    sums = np.cumsum(largest_first, axis=-1) - np.float32(1.0)
    counts = np.arange(1, x.shape[axis] + 1, dtype=np.float32)
    supported = (largest_first * counts > sums).sum(axis=-1, keepdims=True)
    tau = np.take_along_axis(sums, supported - 1, axis=-1) / supported.astype(np.float32)
    y: Floats = np.maximum(x - np.moveaxis(tau, -1, axis), np.float32(0.0))
    return y


@sparsemax.gradient
def _(x: Floats, y: Floats, d_y: Floats, axis: int = -1) -> Floats:
    supported = (y > 0).astype(np.float32)
    sums = (d_y * supported).sum(axis=axis, keepdims=True)
    d_x: Floats = supported * (d_y - sums / supported.sum(axis=axis, keepdims=True))
    return d_x


@Activation
def glu(x: Floats, axis: int = -1) -> Floats:
    """Multiply the first half of the entries along `axis` with the sigmoids of the second.

    Args:
        x: Any shape with an even size of `axis`.
        axis: Dimension that is halved.

    Returns:
        `a * sigmoid(b)` for `x = [a, b]` (Dauphin et al., 2017).

    Raises:
        ValueError: If the size is odd.

    Example:
        >>> glu([3.0, 4.0, 0.0, 100.0])
        array([1.5, 4. ], dtype=float32)
    """
    if x.shape[axis] % 2:
        raise ValueError(
            f"`glu` needs an even number of entries along axis {axis}. Received: shape={x.shape}"
        )
    a, b = np.split(x, 2, axis=axis)
    return a * sigmoid(b)


@glu.gradient
def _(x: Floats, y: Floats, d_y: Floats, axis: int = -1) -> Floats:
    a, b = np.split(x, 2, axis=axis)
    gate = sigmoid(b)
    return np.concatenate([d_y * gate, sigmoid.backward(b, gate, d_y * a)], axis=axis)
