"""Transposed convolution: from few steps to many, as in decoders of autoencoders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import refuse_unsupported
from fastrnn.layers.affine import Cache
from fastrnn.layers.conv2d import Convolution
from fastrnn.layers.fields import add_windows, check_field, pad, unpad, windows_of
from fastrnn.layers.layer import Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Conv1DTranspose(Convolution):
    """Adds a window of the output for each step of the input: Conv1D's way back.

        y = activation(sum of the windows x_t kernel_k at the steps t * strides + k, plus bias)

    It runs on NumPy.

    Args:
        filters: Size of the output's last dimension.
        kernel_size: Number of steps in a window.
        strides: Steps of the output from one window to the next.
        padding: "valid" for all steps that a window reaches; "same" for `strides` times as many
            steps as the input has.
        output_padding: Only None.
        data_format: "channels_last" (or None).
        dilation_rate: Steps from one entry of a window to the next. Not above 1 together with
            `strides`.
        activation: Name or object of `fastrnn.activations`, or a function; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel, `[kernel_size, filters, features]`.
        bias_initializer: First value of the bias, `[filters]`.
        kernel_regularizer: Adds a penalty on the kernel to the loss.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        kernel_constraint: Projects the kernel after each update.
        bias_constraint: The same for the bias.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`.

    Returns of a call:
        `[batch, steps, filters]`.

    Raises:
        ValueError: If an argument is not valid or not supported.

    Example:
        >>> import numpy as np
        >>> Conv1DTranspose(4, 3, strides=2, padding="same")(np.zeros((2, 5, 1))).shape
        (2, 10, 4)
    """

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        given = {"output_padding": output_padding}
        refuse_unsupported("Conv1DTranspose", given, {"output_padding": None})
        kwargs.pop("groups", None)  # in Keras's configs, always 1
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.output_padding = output_padding

    def _steps_for(self, steps: int) -> int:
        """Return how many steps the output has for so many of the input."""
        stride = self.strides[0]
        beyond = max(self._sliding.spans[0] - stride, 0) if self.padding == "valid" else 0
        return steps * stride + beyond

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what has not three dimensions, and features that do not fit the kernel."""
        check_field(self.name, shape, 1)
        if self.built and shape[-1] != self.kernel.shape[-1]:
            raise ValueError(
                f"The input of layer '{self.name}' must have {self.kernel.shape[-1]} features. "
                f"Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch, the number of steps of the output and the filters."""
        steps = input_shape[1]
        return (input_shape[0], None if steps is None else self._steps_for(steps), self.filters)

    def _create_weights(self, input_shape: Shape) -> None:
        shape = (*self.kernel_size, self.filters, input_shape[-1] or 0)
        self._add_kernel_and_bias(shape, (self.filters,))

    # ------------------------------------------------------------------------------ computation

    def _product(self, x: np.ndarray, bias: np.ndarray | None, activation: str) -> np.ndarray:
        size = self._steps_for(x.shape[1])
        paddings = self._sliding.paddings([size])
        # [batch, steps, kernel_size, filters]: a window for each step.
        windows = np.tensordot(x, self.kernel.value, axes=(-1, -1))
        padded = (len(x), size + sum(paddings[0]), self.filters)
        y = np.ascontiguousarray(unpad(add_windows(windows, padded, self._sliding), paddings))
        return y if bias is None else y + bias

    def _product_backward(
        self, cache: Cache, d_z: np.ndarray, activation: str, input_gradient: bool
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        x = cache.x
        padded = pad(d_z, self._sliding.paddings([d_z.shape[1]]))
        d_windows = windows_of(padded, self._sliding)[:, : x.shape[1]]
        d_kernel = np.tensordot(d_windows, x, axes=((0, 1), (0, 1)))
        d_bias = d_z.sum(axis=(0, 1)) if self.use_bias else None
        d_x = None
        if input_gradient:
            product = np.tensordot(d_windows, self.kernel.value, axes=((2, 3), (0, 1)))
            d_x = np.asarray(product, np.float32)
        return d_x, np.asarray(d_kernel, np.float32), d_bias
