"""Activations of the native kernels: those that recurrent layers take, and Dense fuses."""

from __future__ import annotations

import numpy as np

from fastrnn import ops
from fastrnn.activations.activation import Activation
from fastrnn.ops.arrays import Floats


def _native(name: str, does: str) -> Activation:
    """Return the activation `name` of the kernels."""

    def function(x: Floats) -> Floats:
        return ops.activation_forward(x, name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = does
    activation = Activation(function)
    # The derivatives of all of them are functions of y.
    activation.gradient(lambda x, y, d_y: ops.activation_backward(y, d_y, name))
    return activation


linear = _native("linear", "Return x.")
tanh = _native("tanh", "Return the hyperbolic tangent of x.")
sigmoid = _native("sigmoid", "Return `1 / (1 + exp(-x))`.")
hard_sigmoid = _native("hard_sigmoid", "Return `x / 6 + 1 / 2` clipped to [0, 1].")
softsign = _native("softsign", "Return `x / (1 + abs(x))`.")
softplus = _native("softplus", "Return `log(1 + exp(x))`.")
selu = _native(
    "selu",
    "Scale an `elu` so that mean 0 and variance 1 of x are kept (Klambauer et al., 2017).",
)
relu6 = _native("relu6", "Return x clipped to [0, 6].")
log_sigmoid = _native("log_sigmoid", "Return `log(sigmoid(x))`.")


@Activation
def relu(
    x: Floats,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Floats:
    """Keep what is above a threshold: `max(x, 0)` by default.

    Args:
        x: Any shape.
        negative_slope: Slope of the function of `x - threshold` below the threshold.
        max_value: Largest value that is returned; None for none.
        threshold: Value from which on x is kept.

    Returns:
        Float32 array of x's shape.
    """
    if max_value is None and negative_slope == threshold == 0.0:
        return ops.activation_forward(x, "relu")
    y = np.where(x > threshold, x, np.float32(negative_slope) * (x - np.float32(threshold)))
    return y if max_value is None else np.minimum(y, np.float32(max_value))


@relu.gradient
def _(
    x: Floats,
    y: Floats,
    d_y: Floats,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Floats:
    if max_value is None and negative_slope == threshold == 0.0:
        return ops.activation_backward(y, d_y, "relu")
    slope = np.where(x > threshold, np.float32(1.0), np.float32(negative_slope))
    return d_y * slope if max_value is None else d_y * slope * (y < max_value)


@Activation
def elu(x: Floats, alpha: float = 1.0) -> Floats:
    """Return x where it is positive, else `alpha * (exp(x) - 1)` (Clevert et al., 2016)."""
    if alpha == 1.0:
        return ops.activation_forward(x, "elu")
    return np.where(x > 0, x, np.float32(alpha) * np.expm1(np.minimum(x, 0)))


@elu.gradient
def _(x: Floats, y: Floats, d_y: Floats, alpha: float = 1.0) -> Floats:
    if alpha == 1.0:
        return ops.activation_backward(y, d_y, "elu")
    return d_y * np.where(x > 0, np.float32(1.0), y + np.float32(alpha))
