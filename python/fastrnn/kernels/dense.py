"""Dense: a product with a kernel, a bias and an activation."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.kernels.arrays import Floats


class DenseGradients(NamedTuple):
    """What `dense_backward` returns.

    Attributes:
        x: [..., F], or None if `input_gradient` was False.
        kernel: [F, units].
        bias: [units], or None if `use_bias` was False.
    """

    x: Floats | None
    kernel: Floats
    bias: Floats | None


def dense_forward(
    x: ArrayLike, kernel: ArrayLike, bias: ArrayLike | None = None, *, activation: str = "linear"
) -> Floats:
    """Returns `activation(x @ kernel + bias)`.

    Args:
        x: [..., F].
        kernel: [F, units].
        bias: [units] or None.
        activation: one of `ACTIVATIONS`.

    Returns:
        y [..., units].

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> kernels.dense_forward([[1.0, 2.0]], np.eye(2), [0.5, -3.0], activation="relu")
        array([[1.5, 0. ]], dtype=float32)
    """
    return _core.dense_forward(x, kernel, bias, activation)


def dense_backward(
    x: ArrayLike,
    y: ArrayLike,
    kernel: ArrayLike,
    d_y: ArrayLike,
    *,
    activation: str = "linear",
    use_bias: bool = True,
    input_gradient: bool = True,
) -> DenseGradients:
    """Inverts `dense_forward`: the gradients of its arguments from that of y.

    Args:
        x: [..., F], as given to forward.
        y: [..., units], what forward returned: the derivative is a function of it.
        kernel: [F, units], as given to forward.
        d_y: gradient of y.
        activation: as given to forward.
        use_bias: whether the gradient of a bias is wanted.
        input_gradient: whether the gradient of x is wanted.

    Returns:
        A `DenseGradients`.

    Example:
        >>> from fastrnn import kernels
        >>> x, kernel = [[1.0, 2.0]], [[1.0], [3.0]]
        >>> y = kernels.dense_forward(x, kernel, [0.5])
        >>> gradients = kernels.dense_backward(x, y, kernel, [[1.0]])
        >>> gradients.x.tolist(), gradients.kernel.tolist(), gradients.bias.tolist()
        ([[1.0, 3.0]], [[1.0], [2.0]], [1.0])
    """
    return DenseGradients(
        *_core.dense_backward(x, y, kernel, d_y, activation, use_bias, input_gradient)
    )
