"""Convolution of each feature alone, then a product over the features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import positive_integer
from fastrnn.layers.depthwise import DepthwiseLayer, depthwise_backward, depthwise_forward
from fastrnn.layers.layer import Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class SeparableConv1D(DepthwiseLayer):
    """Slides kernels over the steps, each of which sees one feature, and mixes what they return.

        z_{t,c,m} = sum_k x_{t * strides + k * dilation_rate, c} depthwise_kernel_{k,c,m}
        y_t = activation(z_t pointwise_kernel + bias)

    (Chollet, 2017.) As in Keras a mask ends here. The first line is computed in NumPy.

    Args:
        filters: Size of the output's last dimension.
        kernel_size: Number of steps in a window.
        strides: Steps from one window to the next.
        padding: "valid" for windows within the sequence only; "same" for zeros on both sides.
        data_format: "channels_last" (or None) for `[batch, steps, features]`, "channels_first"
            for `[batch, features, steps]`.
        dilation_rate: Steps from one entry of a window to the next. Not above 1 together with
            `strides`.
        depth_multiplier: Number of kernels of each feature.
        activation: Name or object of `fastrnn.activations`; None for none.
        use_bias: Whether there is a bias.
        depthwise_initializer: First value of the kernel of the windows, `[kernel_size, features,
            depth_multiplier]`.
        pointwise_initializer: First value of that of the features, `[1, features *
            depth_multiplier, filters]`.
        bias_initializer: First value of the bias, `[filters]`.
        depthwise_regularizer: Adds a penalty on the kernel of the windows to the loss.
        pointwise_regularizer: The same for that of the features.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        depthwise_constraint: Projects the kernel of the windows after each update.
        pointwise_constraint: The same for that of the features.
        bias_constraint: The same for the bias.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`.

    Returns of a call:
        `[batch, windows, filters]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> import numpy as np
        >>> SeparableConv1D(4, 3, activation="relu")(np.zeros((2, 10, 5))).shape
        (2, 8, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
                "pointwise_initializer": pointwise_initializer,
                "bias_initializer": bias_initializer,
                "depthwise_regularizer": depthwise_regularizer,
                "pointwise_regularizer": pointwise_regularizer,
                "bias_regularizer": bias_regularizer,
                "depthwise_constraint": depthwise_constraint,
                "pointwise_constraint": pointwise_constraint,
                "bias_constraint": bias_constraint,
            },
            **kwargs,
        )
        self.filters = positive_integer("filters", filters)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch, the number of windows and the filters."""
        return self._shape_of(input_shape, self.filters)

    def _create_weights(self, input_shape: Shape) -> None:
        features = input_shape[3 - self._axis] or 0
        shape = (self.kernel_size[0], features, self.depth_multiplier)
        self.depthwise_kernel = self._add("depthwise_kernel", "depthwise", shape)
        shape = (1, features * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self._add("pointwise_kernel", "pointwise", shape)
        if self.use_bias:
            self.bias = self._add("bias", "bias", (self.filters,))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Compute both products, bias and activation.

        The cache is x, what the windows return, and what is before and after the activation.
        """
        parts = depthwise_forward(self._windows_of(x), self.depthwise_kernel.value, *self._sliding)
        seen = parts.reshape(*parts.shape[:2], -1)
        bias = None if self.bias is None else self.bias.value
        z = kernels.dense_forward(seen, self.pointwise_kernel.value[0], bias)
        y = self.activation.compute(z)
        return self._steps_second(y), (x, seen, z, y)

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        x, seen, z, y = cache
        d_z = self.activation.backward(z, y, self._steps_second(d_y))
        d_seen, d_pointwise, d_bias = kernels.dense_backward(
            seen, z, self.pointwise_kernel.value[0], d_z, use_bias=self.use_bias
        )
        assert d_seen is not None
        kernel = self.depthwise_kernel.value
        d_parts = d_seen.reshape(*d_seen.shape[:2], *kernel.shape[1:])
        d_padded, d_depthwise = depthwise_backward(
            self._windows_of(x), kernel, d_parts, *self._sliding
        )
        d_weights = [d_depthwise, d_pointwise[np.newaxis]]
        if d_bias is not None:
            d_weights.append(d_bias)
        if not input_gradient:
            return None, d_weights
        return self._without_padding(d_padded, x.shape[self._axis]), d_weights
