"""The fully connected layer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import activations, constraints, initializers, kernels, regularizers
from fastrnn.arguments import own_arguments, positive_integer, refuse_unsupported
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable

_NOT_BUILT = {
    "lora_rank": None,
    "lora_alpha": None,
    "quantization_config": None,
}


@serializable("keras.layers")
class Dense(Layer):
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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_integer("units", units)
        self.activation = activations.of_layer(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
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
            (input_shape[-1] or 0, self.units),
            self.kernel_initializer,
            "kernel",
            self.kernel_regularizer,
            self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                "bias",
                self.bias_regularizer,
                self.bias_constraint,
            )

    @property
    def output_activation(self) -> str | None:
        """Name of the activation; None if it cannot be left off, as a regularizer needs it."""
        return None if self.activity_regularizer is not None else self.activation.__name__

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
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Compute `activation(x @ kernel + bias)`.

        The cache is the input, what the kernel made of it, and the output: one array where the
        kernel applies the activation.
        """
        bias = None if self.bias is None else self.bias.value
        fused = self._fused_activation
        z = kernels.dense_forward(x, self.kernel.value, bias, activation=fused or "linear")
        y = self.activation.compute(z) if fused is None else z
        return y, (x, z, y)

    def backward(
        self,
        cache: tuple[np.ndarray, np.ndarray, np.ndarray],
        d_y: np.ndarray,
        input_gradient: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        x, z, y = cache
        fused = self._fused_activation
        if fused is None:
            d_y = self.activation.backward(z, y, d_y)
        d_x, d_kernel, d_bias = kernels.dense_backward(
            x,
            z,
            self.kernel.value,
            d_y,
            activation=fused or "linear",
            use_bias=self.use_bias,
            input_gradient=input_gradient,
        )
        return d_x, [d_kernel] if d_bias is None else [d_kernel, d_bias]

    @property
    def _fused_activation(self) -> str | None:
        """Name of the activation if the kernel can apply it, else None."""
        name = self.activation.__name__
        return name if name in kernels.ACTIVATIONS else None
