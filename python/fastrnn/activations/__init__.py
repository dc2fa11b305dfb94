"""Activation functions by name, with Keras's names, arguments and defaults.

Each is an `Activation`: a function on arrays with a backward pass. The kernels of recurrent layers
know those of `fastrnn.kernels.ACTIVATIONS`; Dense and Activation take the others too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastrnn.activations.activation import Activation
from fastrnn.activations.along_axis import glu, log_softmax, softmax, sparsemax
from fastrnn.activations.native import (
    elu,
    hard_sigmoid,
    hard_sigmoid_keras2,
    linear,
    log_sigmoid,
    relu,
    relu6,
    selu,
    sigmoid,
    softplus,
    softsign,
    tanh,
)
from fastrnn.activations.piecewise import (
    celu,
    hard_shrink,
    hard_silu,
    hard_tanh,
    leaky_relu,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    threshold,
)
from fastrnn.activations.smooth import (
    exponential,
    gelu,
    mish,
    silu,
    squareplus,
    tanh_shrink,
)

__all__ = [
    "Activation",
    "celu",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_sigmoid_keras2",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]

swish, hard_swish = silu, hard_silu

_BY_NAME: dict[str, Activation] = {
    name: value for name, value in globals().items() if isinstance(value, Activation)
}
# These change the shape or need arguments, so they cannot be the activation of a layer.
_FUNCTIONS_ONLY = (glu, threshold)


def get(identifier: str | Callable[..., Any] | None) -> Activation:
    """Look up an activation.

    Args:
        identifier: A name such as `"tanh"`, an `Activation`, or None for `linear`.

    Returns:
        The activation; its `__name__` is the name.

    Raises:
        ValueError: If it is not a known name, or a function without a backward pass.

    Example:
        >>> get("swish").__name__
        'silu'
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    if isinstance(identifier, Activation):
        return identifier
    raise ValueError(
        f"`activation` must be one of {', '.join(sorted(_BY_NAME))}, or an `Activation`, which "
        f"has a backward pass. Received: activation={identifier!r}"
    )


def of_layer(identifier: str | Callable[..., Any] | None) -> Activation:
    """Look up an activation that a layer can end in.

    Raises:
        ValueError: If it is not an activation, or one that changes the shape or needs arguments.
    """
    activation = get(identifier)
    if activation in _FUNCTIONS_ONLY:
        raise ValueError(
            f"A layer's `activation` must return an array of the shape of its one argument: "
            f"`{activation.__name__}` does not. Received: activation={identifier!r}"
        )
    return activation


def serialize(activation: Activation) -> str:
    """Return the name of an activation.

    Args:
        activation: An activation of this module.

    Returns:
        Its name, from which `get` returns the activation.

    Example:
        >>> serialize(get("swish"))
        'silu'
    """
    return activation.__name__
