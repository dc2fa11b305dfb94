"""Convolution of each feature alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.depthwise import DepthwiseLayer, depthwise_backward, depthwise_forward
from fastrnn.layers.layer import Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class DepthwiseConv1D(DepthwiseLayer):
    """Slides kernels over the steps, each of which sees one feature.

        y_{t,c,m} = activation(sum_k x_{t * strides + k * dilation_rate, c} kernel_{k,c,m} + bias)

    As in Keras a mask ends here. It is computed in NumPy.

    Args:
        kernel_size: Number of steps in a window.
        strides: Steps from one window to the next.
        padding: "valid" for windows within the sequence only; "same" for zeros on both sides.
        depth_multiplier: Number of kernels of each feature.
        data_format: "channels_last" (or None) for `[batch, steps, features]`, "channels_first"
            for `[batch, features, steps]`.
        dilation_rate: Steps from one entry of a window to the next. Not above 1 together with
            `strides`.
        activation: Name or object of `fastrnn.activations`; None for none.
        use_bias: Whether there is a bias.
        depthwise_initializer: First value of the kernel, `[kernel_size, features,
            depth_multiplier]`.
        bias_initializer: First value of the bias, `[features * depth_multiplier]`.
        depthwise_regularizer: Adds a penalty on the kernel to the loss.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        depthwise_constraint: Projects the kernel after each update.
        bias_constraint: The same for the bias.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`.

    Returns of a call:
        `[batch, windows, features * depth_multiplier]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> import numpy as np
        >>> DepthwiseConv1D(3, depth_multiplier=2)(np.zeros((2, 10, 5))).shape
        (2, 8, 10)
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            depth_multiplier=depth_multiplier,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            activity_regularizer=activity_regularizer,
            of_weights={
                "depthwise_initializer": depthwise_initializer,
                "bias_initializer": bias_initializer,
                "depthwise_regularizer": depthwise_regularizer,
                "bias_regularizer": bias_regularizer,
                "depthwise_constraint": depthwise_constraint,
                "bias_constraint": bias_constraint,
            },
            **kwargs,
        )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch, the number of windows and of all kernels."""
        features = input_shape[3 - self._axis]
        return self._shape_of(input_shape, features and features * self.depth_multiplier)

    def _create_weights(self, input_shape: Shape) -> None:
        features = input_shape[3 - self._axis] or 0
        shape = (self.kernel_size[0], features, self.depth_multiplier)
        self.kernel = self._add("kernel", "depthwise", shape)
        if self.use_bias:
            self.bias = self._add("bias", "bias", (features * self.depth_multiplier,))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Compute products, bias and activation. The cache is x, then before and after the last."""
        parts = depthwise_forward(self._windows_of(x), self.kernel.value, *self._sliding)
        z = parts.reshape(*parts.shape[:2], -1)
        if self.bias is not None:
            z = z + self.bias.value
        y = self.activation.compute(z)
        return self._steps_second(y), (x, z, y)

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        x, z, y = cache
        d_z = self.activation.backward(z, y, self._steps_second(d_y))
        d_parts = d_z.reshape(*d_z.shape[:2], *self.kernel.shape[1:])
        padded = self._windows_of(x)
        d_padded, d_kernel = depthwise_backward(padded, self.kernel.value, d_parts, *self._sliding)
        d_weights = [d_kernel] if self.bias is None else [d_kernel, d_z.sum(axis=(0, 1))]
        if not input_gradient:
            return None, d_weights
        return self._without_padding(d_padded, x.shape[self._axis]), d_weights
