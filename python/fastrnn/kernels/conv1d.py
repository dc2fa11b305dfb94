"""Conv1D: a kernel that slides over the steps, a bias and an activation."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.kernels.arrays import Floats


class Conv1DGradients(NamedTuple):
    """What `conv1d_backward` returns.

    Attributes:
        x: [B, T, C], or None if it was not wanted.
        kernel: [taps, C, filters].
        bias: [filters], or None without one.
    """

    x: Floats | None
    kernel: Floats
    bias: Floats | None


def conv1d_forward(
    x: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: int = 1,
    dilation: int = 1,
    activation: str = "linear",
) -> Floats:
    """Returns `y[t] = activation(sum_k x[t * stride + k * dilation] @ kernel[k] + bias)`.

    There is no padding: y has as many steps as windows fit into x.

    Args:
        x: [B, T, C].
        kernel: [taps, C, filters].
        bias: [filters] or None.
        stride: steps from one window to the next.
        dilation: steps from one tap of a window to the next.
        activation: one of `ACTIVATIONS`.

    Returns:
        y [B, (T - (taps - 1) * dilation - 1) // stride + 1, filters].

    Example:
        >>> from fastrnn import kernels
        >>> kernels.conv1d_forward([[[1.0], [2.0], [4.0]]], [[[1.0]], [[10.0]]]).tolist()
        [[[21.0], [42.0]]]
    """
    return _core.conv1d_forward(x, kernel, bias, stride, dilation, activation)


def conv1d_backward(
    x: ArrayLike,
    y: ArrayLike,
    kernel: ArrayLike,
    d_y: ArrayLike,
    *,
    stride: int = 1,
    dilation: int = 1,
    activation: str = "linear",
    use_bias: bool = True,
    input_gradient: bool = True,
) -> Conv1DGradients:
    """Inverts `conv1d_forward`: the gradients of its arguments from that of y.

    Args:
        x: [B, T, C], as given to forward.
        y: what forward returned: the derivative of the activation is a function of it.
        kernel: [taps, C, filters], as given to forward.
        d_y: gradient of y.
        stride: as given to forward.
        dilation: as given to forward.
        activation: as given to forward.
        use_bias: whether the gradient of a bias is wanted.
        input_gradient: whether the gradient of x is wanted.

    Returns:
        A `Conv1DGradients`.

    Example:
        >>> from fastrnn import kernels
        >>> x, kernel = [[[1.0], [2.0], [4.0]]], [[[1.0]], [[10.0]]]
        >>> y = kernels.conv1d_forward(x, kernel)
        >>> gradients = kernels.conv1d_backward(x, y, kernel, [[[1.0], [1.0]]])
        >>> gradients.x.tolist(), gradients.kernel.ravel().tolist()
        ([[[1.0], [11.0], [10.0]]], [3.0, 6.0])
    """
    return Conv1DGradients(
        *_core.conv1d_backward(
            x, y, kernel, d_y, stride, dilation, activation, use_bias, input_gradient
        )
    )
