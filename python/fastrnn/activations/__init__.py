"""Activation functions by name, with Keras's names, arguments and defaults.

Each is an `Activation`: a function on arrays with a backward pass. The kernels of recurrent layers
know those of `fastrnn.kernels.ACTIVATIONS`; with others these layers walk step by step, slowly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

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
from fastrnn.activations.own_activation import LayerActivation, OwnActivation
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
from fastrnn.utils.custom_objects import find_custom_object
from fastrnn.utils.named_function import function_config, function_from

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


def get(identifier: Any) -> Activation:
    """Look up an activation.

    Args:
        identifier: A name such as `"tanh"`, or None for `linear`; an `Activation`; a function of
            TensorFlow, Keras or NumPy that has the name of one; an element-wise layer, such as
            `LeakyReLU()`; a function of your own, made of operators and `fastrnn.ops`; or the
            config of one of these.

    Returns:
        The activation; its `__name__` is the name.

    Raises:
        ValueError: If it is nothing of that kind, or a name that is not known.

    Example:
        >>> get("swish").__name__
        'silu'
        >>> get(lambda x: 2 * x)([1.0])
        array([2.], dtype=float32)
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, dict) and isinstance(identifier.get("config"), dict):
        return LayerActivation(_layer_of(identifier))
    if (isinstance(identifier, dict) and identifier.get("class_name") == "function") or (
        isinstance(identifier, str) and find_custom_object(identifier)
    ):
        return get(function_from(identifier, "an activation"))
    if callable(identifier) and not isinstance(identifier, type):
        known = _twin(identifier)
        if known is not None:
            return known
        is_layer = hasattr(identifier, "forward") and hasattr(identifier, "backward")
        return (LayerActivation if is_layer else OwnActivation)(identifier)
    raise ValueError(
        f"`activation` must be one of {', '.join(sorted(_BY_NAME))}, a function of one array, or "
        f"an element-wise layer; a function that a file names must be handed over: "
        f"`load_model(..., custom_objects={{'name': function}})`. "
        f"Received: activation={identifier!r}"
    )


def _twin(function: Callable[..., Any]) -> Activation | None:
    """Return the activation of the same name, for a function of another library."""
    package = str(getattr(function, "__module__", "")).partition(".")[0]
    name = str(getattr(function, "__name__", "")).removesuffix("_v2")
    known = package in ("tensorflow", "keras", "tf_keras") or isinstance(function, np.ufunc)
    return _BY_NAME.get(name) if known else None


def _layer_of(config: dict[str, Any]) -> Any:
    """Make the layer of a config; `fastrnn.layers`, which stands above, is loaded by then."""
    return sys.modules["fastrnn.layers"].deserialize(config)


def of_layer(identifier: Any) -> Activation:
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


def serialize(activation: Activation) -> Any:
    """Return what stands for an activation in a config.

    Args:
        activation: The activation.

    Returns:
        Its name, from which `get` returns the activation. Of a function of your own a dict in
        Keras's form that holds its name; of a layer its config.

    Example:
        >>> serialize(get("swish"))
        'silu'
    """
    if isinstance(activation, LayerActivation):
        return sys.modules["fastrnn.layers"].serialize(activation.function)
    if isinstance(activation, OwnActivation):
        return function_config(activation.function)
    return activation.__name__
