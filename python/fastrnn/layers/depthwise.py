"""What DepthwiseConv1D and SeparableConv1D share: each feature has kernels of its own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from fastrnn import activations, constraints, initializers, regularizers
from fastrnn.arguments import positive_integer
from fastrnn.layers.arguments import data_format_of
from fastrnn.layers.layer import Shape
from fastrnn.layers.windows import (
    WindowLayer,
    integers_of,
    pad_steps,
    padding_of,
    refuse_dilated_strides,
)
from fastrnn.variable import Variable

if TYPE_CHECKING:
    from typing_extensions import Self


def depthwise_forward(x: np.ndarray, kernel: np.ndarray, stride: int, dilation: int) -> np.ndarray:
    """Return `y[t, c, m] = sum_k x[t * stride + k * dilation, c] * kernel[k, c, m]`.

    Args:
        x: `[batch, steps, features]`, padded.
        kernel: `[taps, features, depth_multiplier]`.
        stride: Steps from one window to the next.
        dilation: Steps from one tap of a window to the next.

    Returns:
        `[batch, windows, features, depth_multiplier]`.
    """
    taps = _taps(x, len(kernel), stride, dilation)
    y: np.ndarray = sum(part[..., np.newaxis] * own for part, own in zip(taps, kernel, strict=True))
    return y


def depthwise_backward(
    x: np.ndarray, kernel: np.ndarray, d_y: np.ndarray, stride: int, dilation: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of x and of the kernel; see `depthwise_forward`.

    Args:
        x: As given to forward.
        kernel: As given to forward.
        d_y: Gradient of what it returned.
        stride: As given to forward.
        dilation: As given to forward.
    """
    d_x = np.zeros_like(x)
    taps = _taps(x, len(kernel), stride, dilation)
    d_kernel = np.stack([np.einsum("btc,btcm->cm", part, d_y) for part in taps])
    for part, own in zip(_taps(d_x, len(kernel), stride, dilation), kernel, strict=True):
        part += (d_y * own).sum(axis=-1)
    return d_x, d_kernel


def _taps(x: np.ndarray, count: int, stride: int, dilation: int) -> list[np.ndarray]:
    """Return for each tap the steps that it sees in all windows, as views of x."""
    windows = (x.shape[1] - (count - 1) * dilation - 1) // stride + 1
    ends = (windows - 1) * stride + 1
    return [x[:, k * dilation : k * dilation + ends : stride] for k in range(count)]


class DepthwiseLayer(WindowLayer):
    """Base of the two layers. A subclass makes the weights, and adds what comes after the windows.

    Args:
        kernel_size: Number of steps in a window.
        strides: Steps from one window to the next.
        padding: "valid" or "same".
        depth_multiplier: Number of kernels of each feature.
        data_format: "channels_last", "channels_first" or None.
        dilation_rate: Steps from one entry of a window to the next.
        activation: Name or object of `fastrnn.activations`; None for none.
        use_bias: Whether there is a bias.
        of_weights: Initializers, regularizers and constraints, by the names of the arguments.
        **kwargs: `name`, `trainable`, `activity_regularizer`, `input_shape`.
    """

    bias: Variable | None = None

    def __init__(
        self,
        *,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        depth_multiplier: int,
        data_format: Any,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        of_weights: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = integers_of("kernel_size", kernel_size, 1, 1)
        self.strides = integers_of("strides", strides, 1, 1)
        self.padding = padding_of(padding, ("valid", "same"))
        self.depth_multiplier = positive_integer("depth_multiplier", depth_multiplier)
        self.data_format = data_format_of(data_format)
        self.dilation_rate = integers_of("dilation_rate", dilation_rate, 1, 1)
        refuse_dilated_strides(strides, dilation_rate)
        self.activation = activations.of_layer(activation)
        self.use_bias = bool(use_bias)
        for name, value in of_weights.items():
            kind = name.rpartition("_")[2]
            get = {"initializer": initializers, "regularizer": regularizers}.get(kind, constraints)
            setattr(self, name, get.get(value))

    @property
    def _span(self) -> int:
        return (self.kernel_size[0] - 1) * self.dilation_rate[0] + 1

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse sequences that are too short, and features that do not fit the kernel."""
        super().check_input_shape(shape)
        features = shape[3 - self._axis]
        wanted = self.weights[0].shape[1] if self.built else features
        if not features or features != wanted:
            raise ValueError(
                f"The input of layer '{self.name}' must have {wanted or 'a known number of'} "
                f"features. Received: shape={shape}"
            )

    def _add(self, name: str, part: str, shape: tuple[int, ...]) -> Variable:
        """Make a weight, with the initializer, regularizer and constraint of a part."""
        kinds = ("initializer", "regularizer", "constraint")
        first, penalty, projection = (getattr(self, f"{part}_{kind}") for kind in kinds)
        return self.add_weight(shape, first, name, penalty, projection)

    def _windows_of(self, x: np.ndarray) -> np.ndarray:
        """Return the input of the products: padded, with the steps behind the batch."""
        return pad_steps(self._steps_second(x), self._padded(x.shape[self._axis]))

    def _without_padding(self, d_x: np.ndarray, steps: int) -> np.ndarray:
        """Invert `_windows_of` for a gradient."""
        front, _ = self._padded(steps)
        return self._steps_second(np.ascontiguousarray(d_x[:, front : front + steps]))

    @property
    def _sliding(self) -> tuple[int, int]:
        return self.strides[0], self.dilation_rate[0]

    @property
    def output_activation(self) -> str | None:
        """Name of the activation; None if it cannot be left off, as a regularizer needs it."""
        return None if self.activity_regularizer is not None else self.activation.__name__

    def without_activation(self) -> Self:
        """Return a layer that shares this one's weights and stops before the activation."""
        scores = copy.copy(self)
        scores.activation = activations.linear
        return scores
