"""Values and gradients of functions that call layers and models, for one's own training loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastrnn import tracing
from fastrnn.layers.calls import as_traced
from fastrnn.variable import Variable


def value_and_gradients(
    function: Callable[[], Any], variables: Sequence[Variable]
) -> tuple[float, list[np.ndarray]]:
    """Call a function of weights; return its value and its gradients.

    Layers and models that the function calls run their own passes within a trace. Dropout is
    active in those that are called with `training=True`.

    Args:
        function: Takes nothing and returns a scalar: it calls models and layers on arrays, and goes
            on with losses, operators and the functions of `fastrnn.ops`.
        variables: The weights, such as `model.trainable_weights`.

    Returns:
        The value, and a float32 array for each of the variables, of its shape; zeros where the
        value does not depend on it.

    Raises:
        TypeError: If an entry of `variables` is not a weight.
        ValueError: If the function does not return a scalar.

    Example:
        >>> import numpy as np
        >>> from fastrnn import layers, ops
        >>> layer = layers.Dense(1, use_bias=False, kernel_initializer="ones")
        >>> x = np.float32([[2.0, 3.0]])
        >>> layer.build(x.shape)
        >>> value, gradients = value_and_gradients(lambda: ops.sum(layer(x)), layer.weights)
        >>> value, gradients[0].tolist()
        (5.0, [[2.0], [3.0]])
    """
    variables = list(variables)
    for variable in variables:
        if not isinstance(variable, Variable):
            raise TypeError(f"`variables` must be a list of weights. Received: {variable!r} in it")

    def traced(*arrays: Any) -> Any:
        standing = dict(zip(map(id, variables), arrays, strict=True))
        with as_traced(standing, training=False):
            return function()

    value, pullback = tracing.vjp(traced, *[variable.value for variable in variables])
    if isinstance(value, (list, tuple)) or np.ndim(value) != 0:
        raise ValueError(f"`function` must return a scalar. Received: {value!r}")
    return float(value), list(pullback(np.float32(1)))
