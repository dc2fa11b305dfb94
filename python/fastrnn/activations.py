"""Activation functions by name, as functions on NumPy arrays.

Layers keep the function, as Keras's do, and hand its `__name__` to the kernels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastrnn import ops

Activation = Callable[[npt.ArrayLike], np.ndarray]


def _kernel(name: str) -> Activation:
    """Return the activation `name` of the native kernels as a Python function."""

    def activation(x: npt.ArrayLike) -> np.ndarray:
        return ops.activation_forward(np.asarray(x), name)

    activation.__name__ = activation.__qualname__ = name
    activation.__doc__ = f"Apply the activation `{name}` to each element."
    return activation


linear = _kernel("linear")
tanh = _kernel("tanh")
sigmoid = _kernel("sigmoid")
relu = _kernel("relu")
hard_sigmoid = _kernel("hard_sigmoid")
softsign = _kernel("softsign")
softplus = _kernel("softplus")
elu = _kernel("elu")


def softmax(x: npt.ArrayLike, axis: int = -1) -> np.ndarray:
    """Turn scores into probabilities: `exp(x) / sum(exp(x))` along `axis`.

    Args:
        x: Scores, any shape with at least one dimension.
        axis: Dimension whose entries add up to 1.

    Returns:
        Float32 array of `x`'s shape.
    """
    scores = np.asarray(x, dtype=np.float32)
    # The largest score is subtracted because exp of it would overflow from 89 on.
    powers: np.ndarray = np.exp(scores - scores.max(axis=axis, keepdims=True))
    powers /= powers.sum(axis=axis, keepdims=True)
    return powers


_BY_NAME: dict[str, Activation] = {
    function.__name__: function
    for function in (
        linear,
        tanh,
        sigmoid,
        relu,
        hard_sigmoid,
        softsign,
        softplus,
        elu,
        softmax,
    )
}


def get(identifier: str | Activation | None) -> Activation:
    """Look up an activation function.

    Args:
        identifier: A name such as `"tanh"`, a function of this module, or None for `linear`.

    Returns:
        The function; its `__name__` is the name.

    Raises:
        ValueError: If the name or the function is none of this module's.

    Example:
        >>> get("tanh").__name__
        'tanh'
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str) and identifier in _BY_NAME:
        return _BY_NAME[identifier]
    if callable(identifier) and identifier in _BY_NAME.values():
        return identifier
    raise ValueError(
        f"`activation` must be one of {', '.join(sorted(_BY_NAME))}. "
        f"Received: activation={identifier!r}"
    )


def serialize(activation: Activation) -> str:
    """Return the name of an activation function."""
    return activation.__name__
