"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import own_arguments, positive_integer, refuse_unsupported
from fastrnn.layers.affine import AffineLayer, Cache
from fastrnn.layers.layer import Shape
from fastrnn.layers.serialization import serializable

_NOT_BUILT = {
    "lora_rank": None,
    "lora_alpha": None,
    "quantization_config": None,
}


@serializable("keras.layers")
class Dense(AffineLayer):
    """Computes `y = activation(x @ kernel + bias)` on the last dimension of the input.

    Args:
        units: Size of the output's last dimension.
        activation: Name or object of `fastrnn.activations`; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel, `[features, units]`.
        bias_initializer: First value of the bias, `[units]`.
        kernel_regularizer: Adds a penalty on the kernel to the loss; name or object of
            `fastrnn.regularizers`, or None.
        bias_regularizer: The same for the bias.
        activity_regularizer: The same for the output, divided by the size of the batch.
        kernel_constraint: Projects the kernel after each update; name or object of
            `fastrnn.constraints`, a function, or None.
        bias_constraint: The same for the bias.
        lora_rank: Not supported.
        lora_alpha: Not supported.
        quantization_config: Not supported.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, ..., features]`, at least two dimensions.

    Returns of a call:
        `[batch, ..., units]`.

    Raises:
        ValueError: If an argument is not valid or not supported.

    Example:
        >>> Dense(3, activation="relu")([[1.0, 2.0]]).shape
        (1, 3)
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        refuse_unsupported("Dense", own_arguments(locals()), _NOT_BUILT)
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
        self.units = positive_integer("units", units)
        self.lora_rank = lora_rank
        self.lora_alpha = lora_alpha
        self.quantization_config = quantization_config

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse fewer than two dimensions, and features that do not fit the kernel."""
        if len(shape) < 2 or shape[-1] is None:
            raise ValueError(
                f"The input of layer '{self.name}' must have at least two dimensions, the last "
                f"of a known size. Received: shape={shape}"
            )
        if self.built and shape[-1] != self.kernel.shape[0]:
            raise ValueError(
                f"The input of layer '{self.name}' must have {self.kernel.shape[0]} features. "
                f"Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape with `units` as its last size."""
        return (*input_shape[:-1], self.units)

    def _create_weights(self, input_shape: Shape) -> None:
        self._add_kernel_and_bias((input_shape[-1] or 0, self.units))

    def _product(self, x: np.ndarray, bias: np.ndarray | None, activation: str) -> np.ndarray:
        return kernels.dense_forward(x, self.kernel.value, bias, activation=activation)

    def _product_backward(
        self, cache: Cache, d_z: np.ndarray, activation: str, input_gradient: bool
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        return kernels.dense_backward(
            cache.x,
            cache.z,
            self.kernel.value,
            d_z,
            activation=activation,
            use_bias=self.use_bias,
            input_gradient=input_gradient,
        )
