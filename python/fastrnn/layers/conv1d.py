"""Convolution over the steps of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import positive_integer
from fastrnn.layers.affine import AffineLayer, Cache
from fastrnn.layers.arguments import data_format_of
from fastrnn.layers.layer import Shape
from fastrnn.layers.serialization import serializable
from fastrnn.layers.windows import (
    WindowLayer,
    integers_of,
    pad_steps,
    padding_of,
    refuse_dilated_strides,
)


@serializable("keras.layers")
class Conv1D(AffineLayer, WindowLayer):
    """Slides a kernel over the steps: each output step sees a window of the input's.

        y_t = activation(sum_k x_{t * strides + k * dilation_rate} kernel_k + bias)

    As in Keras a mask ends here: put masked sequences through a recurrent layer first, or pool.

    Args:
        filters: Size of the output's last dimension.
        kernel_size: Number of steps in a window.
        strides: Steps from one window to the next.
        padding: "valid" for windows within the sequence only; "same" for zeros on both sides, so
            that without strides the output has as many steps as the input; "causal" for zeros in
            front, so that no output sees a later step (van den Oord et al., 2016).
        data_format: "channels_last" (or None) for `[batch, steps, features]`, "channels_first"
            for `[batch, features, steps]`.
        dilation_rate: Steps from one entry of a window to the next. Not above 1 together with
            `strides`.
        groups: In how many parts features and filters are cut; each part of the filters sees its
            part of the features only.
        activation: Name or object of `fastrnn.activations`; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel, `[kernel_size, features / groups, filters]`.
        bias_initializer: First value of the bias, `[filters]`.
        kernel_regularizer: Adds a penalty on the kernel to the loss; name or object of
            `fastrnn.regularizers`, or None.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        kernel_constraint: Projects the kernel after each update; name or object of
            `fastrnn.constraints`, a function, or None.
        bias_constraint: The same for the bias.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`, at least as many steps as a window needs.

    Returns of a call:
        `[batch, windows, filters]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> import numpy as np
        >>> Conv1D(4, 3, activation="relu")(np.zeros((2, 10, 5))).shape
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
        groups: int = 1,
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
        super().__init__(
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
        self.filters = positive_integer("filters", filters)
        self.kernel_size = integers_of("kernel_size", kernel_size, 1, 1)
        self.strides = integers_of("strides", strides, 1, 1)
        self.padding = padding_of(padding, ("valid", "same", "causal"))
        self.data_format = data_format_of(data_format)
        self.dilation_rate = integers_of("dilation_rate", dilation_rate, 1, 1)
        self.groups = positive_integer("groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                "`filters` must be a multiple of `groups`. "
                f"Received: filters={self.filters}, groups={self.groups}"
            )
        refuse_dilated_strides(strides, dilation_rate)

    @property
    def _span(self) -> int:
        return (self.kernel_size[0] - 1) * self.dilation_rate[0] + 1

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse sequences that are too short, and features that do not fit the kernel."""
        super().check_input_shape(shape)
        features = shape[3 - self._axis]
        if not features or features % self.groups:
            raise ValueError(
                f"The input of layer '{self.name}' must have a known number of features, a "
                f"multiple of `groups`, {self.groups}. Received: shape={shape}"
            )
        if self.built and features != self.kernel.shape[1] * self.groups:
            raise ValueError(
                f"The input of layer '{self.name}' must have "
                f"{self.kernel.shape[1] * self.groups} features. Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch, the number of windows and the filters."""
        return self._shape_of(input_shape, self.filters)

    def _create_weights(self, input_shape: Shape) -> None:
        features = input_shape[3 - self._axis] or 0
        self._add_kernel_and_bias((self.kernel_size[0], features // self.groups, self.filters))

    # ------------------------------------------------------------------------------ computation

    def _product(self, x: np.ndarray, bias: np.ndarray | None, activation: str) -> np.ndarray:
        biases = [None] * self.groups if bias is None else np.split(bias, self.groups)
        parts = [
            kernels.conv1d_forward(x_part, kernel, own, activation=activation, **self._windowing)
            for (x_part, kernel), own in zip(self._groups_of(x), biases, strict=True)
        ]
        return self._steps_second(parts[0] if self.groups == 1 else np.concatenate(parts, axis=-1))

    def _product_backward(
        self, cache: Cache, d_z: np.ndarray, activation: str, input_gradient: bool
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        steps = cache.x.shape[self._axis]
        gradients = [
            kernels.conv1d_backward(
                x,
                z,
                kernel,
                d,
                activation=activation,
                use_bias=self.use_bias,
                input_gradient=input_gradient,
                **self._windowing,
            )
            for (x, kernel), z, d in zip(
                self._groups_of(cache.x),
                np.split(self._steps_second(cache.z), self.groups, axis=-1),
                np.split(self._steps_second(d_z), self.groups, axis=-1),
                strict=True,
            )
        ]
        d_x, d_kernel, d_bias = (
            None
            if parts[0] is None
            else parts[0]
            if self.groups == 1
            else np.concatenate(parts, -1)
            for parts in zip(*gradients, strict=True)
        )
        assert d_kernel is not None
        if d_x is not None:
            front, behind = self._padded(steps)
            if front or behind:
                d_x = np.ascontiguousarray(d_x[:, front : front + steps])
            d_x = self._steps_second(d_x)
        return d_x, d_kernel, d_bias

    def _groups_of(self, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return for each group its features of the padded input, and its part of the kernel."""
        x = pad_steps(self._steps_second(x), self._padded(x.shape[self._axis]))
        if self.groups == 1:
            return [(x, self.kernel.value)]
        parts = (np.split(each, self.groups, axis=-1) for each in (x, self.kernel.value))
        return list(zip(*parts, strict=True))

    @property
    def _windowing(self) -> dict[str, int]:
        return {"stride": self.strides[0], "dilation": self.dilation_rate[0]}
