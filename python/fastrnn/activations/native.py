"""Activations of the native kernels: those that recurrent layers take, and Dense fuses."""

from __future__ import annotations

import numpy as np

from fastrnn import kernels
from fastrnn.activations.activation import Activation
from fastrnn.kernels.arrays import Floats

_DOCSTRING = """{does}

Args:
    x: Any shape.

Returns:
    Float32 array of x's shape.

Example:
    >>> {name}([-1.0, 0.0, 2.0]).round(3)
    array({values}, dtype=float32)
"""


def _native(name: str, does: str, values: str) -> Activation:
    """Return the activation `name` of the kernels.

    Args:
        name: One of `kernels.ACTIVATIONS`.
        does: First paragraph of its docstring.
        values: Its values at -1, 0 and 2, as NumPy prints them.
    """

    def function(x: Floats) -> Floats:
        return kernels.activation_forward(x, name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = _DOCSTRING.format(does=does, name=name, values=values)
    activation = Activation(function)
    # The derivatives of all of them are functions of y.
    activation.gradient(lambda x, y, d_y: kernels.activation_backward(y, d_y, name))
    return activation


linear = _native("linear", "Return x.", "[-1.,  0.,  2.]")
tanh = _native("tanh", "Return the hyperbolic tangent of x.", "[-0.762,  0.   ,  0.964]")
sigmoid = _native("sigmoid", "Return `1 / (1 + exp(-x))`.", "[0.269, 0.5  , 0.881]")
hard_sigmoid = _native(
    "hard_sigmoid",
    "Return `x / 6 + 1 / 2` clipped to [0, 1] (Howard et al., 2019).",
    "[0.333, 0.5  , 0.833]",
)
hard_sigmoid_keras2 = _native(
    "hard_sigmoid_keras2",
    "Return `0.2 x + 0.5` clipped to [0, 1], the `hard_sigmoid` of Keras 1 and 2.",
    "[0.3, 0.5, 0.9]",
)
softsign = _native(
    "softsign",
    "Return `x / (1 + abs(x))` (Bergstra et al., 2009).",
    "[-0.5  ,  0.   ,  0.667]",
)
softplus = _native(
    "softplus", "Return `log(1 + exp(x))` (Dugas et al., 2001).", "[0.313, 0.693, 2.127]"
)
selu = _native(
    "selu",
    "Scale an `elu` so that mean 0 and variance 1 of x are kept (Klambauer et al., 2017).",
    "[-1.111,  0.   ,  2.101]",
)
relu6 = _native("relu6", "Return x clipped to [0, 6] (Krizhevsky, 2010).", "[0., 0., 2.]")
log_sigmoid = _native("log_sigmoid", "Return `log(sigmoid(x))`.", "[-1.313, -0.693, -0.127]")


@Activation
def relu(
    x: Floats,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Floats:
    """Keep what is above a threshold: `max(x, 0)` by default (Nair and Hinton, 2010).

    Args:
        x: Any shape.
        negative_slope: Slope of the function of `x - threshold` below the threshold.
        max_value: Largest value that is returned; None for no limit.
        threshold: Value from which on x is kept.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> relu([-1.0, 1.0, 9.0], negative_slope=0.5, max_value=6.0)
        array([-0.5,  1. ,  6. ], dtype=float32)
    """
    if max_value is None and negative_slope == threshold == 0.0:
        return kernels.activation_forward(x, "relu")
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
        return kernels.activation_backward(y, d_y, "relu")
    slope = np.where(x > threshold, np.float32(1.0), np.float32(negative_slope))
    return d_y * slope if max_value is None else d_y * slope * (y < max_value)


@Activation
def elu(x: Floats, alpha: float = 1.0) -> Floats:
    """Return x where it is positive, else `alpha * (exp(x) - 1)` (Clevert et al., 2016).

    Args:
        x: Any shape.
        alpha: Minus the value that is approached below 0.

    Returns:
        Float32 array of x's shape.

    Example:
        >>> elu([-1.0, 0.0, 2.0]).round(3)
        array([-0.632,  0.   ,  2.   ], dtype=float32)
    """
    if alpha == 1.0:
        return kernels.activation_forward(x, "elu")
    return np.where(x > 0, x, np.float32(alpha) * np.expm1(np.minimum(x, 0)))


@elu.gradient
def _(x: Floats, y: Floats, d_y: Floats, alpha: float = 1.0) -> Floats:
    if alpha == 1.0:
        return kernels.activation_backward(y, d_y, "elu")
    return d_y * np.where(x > 0, np.float32(1.0), y + np.float32(alpha))
