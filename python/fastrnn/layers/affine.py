"""What Dense and Conv1D share: a product with a kernel, a bias and an activation."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastrnn import activations, constraints, initializers, kernels, regularizers
from fastrnn.layers.layer import Layer
from fastrnn.variable import Variable

if TYPE_CHECKING:
    from typing_extensions import Self


class Cache(NamedTuple):
    """What `forward` keeps for `backward`.

    Attributes:
        x: The input of the product.
        z: What the product made of it.
        y: The output; z itself where the kernel applies the activation.
    """

    x: np.ndarray
    z: np.ndarray
    y: np.ndarray


class AffineLayer(Layer):
    """Base of the layers that compute `activation(product(x, kernel) + bias)`.

    A subclass makes the weights with `_add_kernel_and_bias` and states the product as `_product`
    and `_product_backward`, whose kernels can apply an activation themselves.
    """

    kernel: Variable
    bias: Variable | None = None

    def __init__(
        self,
        *,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.of_layer(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _add_kernel_and_bias(
        self,
        kernel_shape: tuple[int, ...],
        bias_shape: tuple[int, ...] | None = None,
        kernel_initializer: Any = None,
    ) -> None:
        """Make the weights.

        Args:
            kernel_shape: Shape of the kernel.
            bias_shape: Shape of the bias; None for the last size of the kernel.
            kernel_initializer: What takes the place of the layer's own; None for that.
        """
        self.kernel = self.add_weight(
            kernel_shape,
            kernel_initializer or self.kernel_initializer,
            "kernel",
            self.kernel_regularizer,
            self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                kernel_shape[-1:] if bias_shape is None else bias_shape,
                self.bias_initializer,
                "bias",
                self.bias_regularizer,
                self.bias_constraint,
            )

    @property
    def output_activation(self) -> str | None:
        """Name of the activation; None if it cannot be left off, as a regularizer needs it."""
        return None if self.activity_regularizer is not None else self.activation.__name__

    def without_activation(self) -> Self:
        """Return a layer that shares this one's weights and stops before the activation.

        Losses of probabilities are computed from the scores before a sigmoid or softmax, which
        are exact where the probabilities have rounded to 0 or 1.
        """
        scores = copy.copy(self)
        scores.activation = activations.linear
        return scores

    def _product(self, x: np.ndarray, bias: np.ndarray | None, activation: str) -> np.ndarray:
        """Return `activation(product(x, kernel) + bias)` for an activation that the kernels have.

        Args:
            x: Input of the product.
            bias: Value of the bias, or None.
            activation: Name of the activation.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `_product`.")

    def _product_backward(
        self, cache: Cache, d_z: np.ndarray, activation: str, input_gradient: bool
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        """Return the gradients of x (or None), of the kernel and of the bias (or None).

        Args:
            cache: What `forward` kept.
            d_z: Gradient of what `_product` returned.
            activation: Name of the activation that it applied.
            input_gradient: Whether the gradient of x is wanted.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `_product_backward`.")

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Cache]:
        """Compute the product, the bias and the activation."""
        bias = None if self.bias is None else self.bias.value
        fused = self._fused_activation
        z = self._product(x, bias, fused or "linear")
        y = self.activation.compute(z) if fused is None else z
        return y, Cache(x, z, y)

    def backward(
        self, cache: Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        fused = self._fused_activation
        if fused is None:
            d_y = self.activation.backward(cache.z, cache.y, d_y)
        d_x, d_kernel, d_bias = self._product_backward(
            cache, d_y, fused or "linear", input_gradient
        )
        return d_x, [d_kernel] if d_bias is None else [d_kernel, d_bias]

    @property
    def _fused_activation(self) -> str | None:
        """Name of the activation if the kernel can apply it, else None."""
        name = self.activation.__name__
        return name if name in kernels.ACTIVATIONS else None
