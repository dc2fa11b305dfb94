"""The fully connected layer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import activations, initializers, ops
from fastrnn.layers.arguments import own_arguments, positive_integer, refuse_not_built
from fastrnn.layers.layer import Layer, Shape

_NOT_BUILT = {
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
    "lora_rank": None,
    "lora_alpha": None,
    "quantization_config": None,
}


class Dense(Layer):
    """Computes `y = activation(x @ kernel + bias)` on the last dimension of the input.

    Args:
        units: Size of the output's last dimension.
        activation: Name or function of `fastrnn.activations`; None for none.
        use_bias: Whether there is a bias.
        kernel_initializer: First value of the kernel, `[features, units]`.
        bias_initializer: First value of the bias, `[units]`.
        kernel_regularizer: Not supported yet.
        bias_regularizer: Not supported yet.
        activity_regularizer: Not supported yet.
        kernel_constraint: Not supported yet.
        bias_constraint: Not supported yet.
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
        refuse_not_built("Dense", own_arguments(locals()), _NOT_BUILT)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_integer("units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
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
        self.kernel = self.add_weight(
            (input_shape[-1] or 0, self.units), self.kernel_initializer, "kernel"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.units,), self.bias_initializer, "bias")

    @property
    def output_activation(self) -> str:
        """Name of the activation."""
        return self.activation.__name__

    def without_activation(self) -> Dense:
        """Return a layer that shares this one's weights and stops before the activation.

        Losses of probabilities are computed from the scores before a sigmoid or softmax, which
        are exact where the probabilities have rounded to 0 or 1.
        """
        scores = copy.copy(self)
        scores.activation = activations.linear
        return scores

    def forward(
        self, x: np.ndarray, training: bool = False
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Compute `activation(x @ kernel + bias)`. The cache is the input and the output."""
        bias = None if self.bias is None else self.bias.value
        y = ops.dense_forward(x, self.kernel.value, bias, activation=self._fused_activation)
        if self.activation is activations.softmax:
            y = activations.softmax(y)
        return y, (x, y)

    def backward(
        self,
        cache: tuple[np.ndarray, np.ndarray],
        d_y: np.ndarray,
        input_gradient: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        x, y = cache
        if self.activation is activations.softmax:
            # y_i = exp(z_i) / sum_j exp(z_j), so d_z_i = y_i (d_y_i - sum_j d_y_j y_j)
            d_y = y * (d_y - (d_y * y).sum(axis=-1, keepdims=True))
        d_x, d_kernel, d_bias = ops.dense_backward(
            x,
            y,
            self.kernel.value,
            d_y,
            activation=self._fused_activation,
            use_bias=self.use_bias,
            input_gradient=input_gradient,
        )
        return d_x, [d_kernel] if d_bias is None else [d_kernel, d_bias]

    @property
    def _fused_activation(self) -> str:
        """Name of the activation that the kernel applies: all but softmax, which needs a row."""
        return "linear" if self.activation is activations.softmax else self.activation.__name__
