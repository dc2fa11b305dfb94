"""Convolution over two or three dimensions, as in front of recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import own_arguments, positive_integer, refuse_unsupported
from fastrnn.layers.affine import AffineLayer, Cache
from fastrnn.layers.fields import (
    Sliding,
    check_field,
    convolve,
    convolve_backward,
    only_channels_last,
)
from fastrnn.layers.layer import Shape
from fastrnn.layers.serialization import serializable
from fastrnn.layers.windows import integers_of, padding_of, refuse_dilated_strides


class Convolution(AffineLayer):
    """Base of Conv2D and Conv3D: a product of NumPy of all windows with the kernel."""

    rank: int

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
        refuse_unsupported(type(self).__name__, {"groups": groups}, {"groups": 1})
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
        self.kernel_size = integers_of("kernel_size", kernel_size, self.rank, 1)
        self.strides = integers_of("strides", strides, self.rank, 1)
        self.padding = padding_of(padding, ("valid", "same"))
        self.data_format = only_channels_last(data_format)
        self.dilation_rate = integers_of("dilation_rate", dilation_rate, self.rank, 1)
        self.groups = groups
        refuse_dilated_strides(strides, dilation_rate)

    @property
    def _sliding(self) -> Sliding:
        return Sliding(self.kernel_size, self.strides, self.dilation_rate, self.padding)

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what is too small for a window, and features that do not fit the kernel."""
        check_field(self.name, shape, self.rank, self._sliding)
        if self.built and shape[-1] != self.kernel.shape[-2]:
            raise ValueError(
                f"The input of layer '{self.name}' must have {self.kernel.shape[-2]} features. "
                f"Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch, the numbers of windows and the filters."""
        return (input_shape[0], *self._sliding.counts(input_shape[1:-1]), self.filters)

    def _create_weights(self, input_shape: Shape) -> None:
        self._add_kernel_and_bias((*self.kernel_size, input_shape[-1] or 0, self.filters))

    # ------------------------------------------------------------------------------ computation

    @property
    def _fused_activation(self) -> None:
        """None: NumPy's product applies no activation."""

    def _product(self, x: np.ndarray, bias: np.ndarray | None, activation: str) -> np.ndarray:
        z = convolve(x, self.kernel.value, self._sliding)
        return z if bias is None else z + bias

    def _product_backward(
        self, cache: Cache, d_z: np.ndarray, activation: str, input_gradient: bool
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        d_x, d_kernel = convolve_backward(
            cache.x, self.kernel.value, self._sliding, d_z, input_gradient
        )
        d_bias = d_z.sum(axis=tuple(range(d_z.ndim - 1))) if self.use_bias else None
        return d_x, d_kernel, d_bias


@serializable("keras.layers")
class Conv2D(Convolution):
    """Slides a kernel over rows and columns, as over the pictures of a film in TimeDistributed.

    It is there so that models with recurrent layers may begin with it. It runs on NumPy.

    Args:
        filters: Size of the output's last dimension.
        kernel_size: Rows and columns of a window, or one number for both.
        strides: Entries from one window to the next, likewise.
        padding: "valid" for windows within the input only; "same" for zeros around it, so that
            without strides the output has the sizes of the input.
        data_format: "channels_last" (or None).
        dilation_rate: Entries from one entry of a window to the next. Not above 1 together with
            `strides`.
        groups: Only 1.
        activation: Name or object of `fastrnn.activations`, or a function; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel, `[rows, columns, features, filters]`.
        bias_initializer: First value of the bias, `[filters]`.
        kernel_regularizer: Adds a penalty on the kernel to the loss.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        kernel_constraint: Projects the kernel after each update.
        bias_constraint: The same for the bias.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, rows, columns, features]`.

    Returns of a call:
        `[batch, rows, columns, filters]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> import numpy as np
        >>> Conv2D(4, 3, padding="same")(np.zeros((2, 6, 5, 1))).shape
        (2, 6, 5, 4)
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
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
        super().__init__(**own_arguments(locals()), **kwargs)


@serializable("keras.layers")
class Conv3D(Convolution):
    """Slides a kernel over three dimensions, as over the pictures of a film and their rows.

    Args:
        filters: Size of the output's last dimension.
        kernel_size: Sizes of a window, or one number for all.
        strides: Entries from one window to the next, likewise.
        padding: "valid" or "same", as of Conv2D.
        data_format: "channels_last" (or None).
        dilation_rate: Entries from one entry of a window to the next.
        groups: Only 1.
        activation: Name or object of `fastrnn.activations`, or a function; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel, `[*kernel_size, features, filters]`.
        bias_initializer: First value of the bias, `[filters]`.
        kernel_regularizer: Adds a penalty on the kernel to the loss.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        kernel_constraint: Projects the kernel after each update.
        bias_constraint: The same for the bias.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, rows, columns, features]`.

    Returns of a call:
        `[batch, steps, rows, columns, filters]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> import numpy as np
        >>> Conv3D(4, 3)(np.zeros((2, 6, 5, 4, 1))).shape
        (2, 4, 3, 2, 4)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1, 1),
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
        super().__init__(**own_arguments(locals()), **kwargs)
