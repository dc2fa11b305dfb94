"""A Dense over several dimensions: the projections of MultiHeadAttention."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.initializers.scaled_initializers import VarianceScaling
from fastrnn.layers.affine import AffineLayer, Cache
from fastrnn.layers.layer import Shape


class HeadProjection(AffineLayer):
    """Computes `activation(x @ kernel + bias)` from the last dimensions of x to other ones.

    It has the weights and the name that an EinsumDense has inside Keras's MultiHeadAttention.

    Args:
        summed: Number of the last dimensions of the input that the product sums over.
        sizes: Sizes of the dimensions that take their place.
        activation: Name of the activation.
        **kwargs: Further arguments of `Dense`.
    """

    supports_masking = True

    def __init__(
        self, summed: int, sizes: tuple[int, ...], activation: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(activation=activation, **kwargs)
        self.summed = summed
        self.sizes = sizes

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse open sizes of what is summed over, and others than the kernel's.

        Args:
            shape: Shape of the input, batch first.
        """
        ends = tuple(shape[-self.summed :])
        if None in ends or (self.built and ends != self.kernel.shape[: self.summed]):
            wanted = self.kernel.shape[: self.summed] if self.built else "known sizes"
            raise ValueError(
                f"The '{self.name}' of an attention must have {wanted} in its last dimensions. "
                f"Received: shape={tuple(shape)}"
            )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the input shape with the new sizes in place of those that are summed over.

        Args:
            input_shape: Shape of the input, batch first.
        """
        return (*input_shape[: -self.summed], *self.sizes)

    def _create_weights(self, input_shape: Shape) -> None:
        ends = tuple(size or 0 for size in input_shape[-self.summed :])
        first = self.kernel_initializer
        if isinstance(first, VarianceScaling) and first.input_axes is None:
            # By Keras's rule for convolutions the first of three dimensions would be a window.
            first = copy.copy(first)
            first.input_axes = range(self.summed)
            first.output_axes = range(self.summed, self.summed + len(self.sizes))
        self._add_kernel_and_bias((*ends, *self.sizes), self.sizes, first)

    def _as_matrix(self) -> np.ndarray:
        """Return the kernel as a matrix: `[all that is summed over, all that is made]`."""
        return self.kernel.value.reshape(int(np.prod(self.kernel.shape[: self.summed])), -1)

    def _product(self, x: np.ndarray, bias: np.ndarray | None, activation: str) -> np.ndarray:
        rest = x.shape[: -self.summed]
        flat_bias = None if bias is None else bias.reshape(-1)
        y = kernels.dense_forward(
            x.reshape(*rest, -1), self._as_matrix(), flat_bias, activation=activation
        )
        return y.reshape(*rest, *self.sizes)

    def _product_backward(
        self, cache: Cache, d_z: np.ndarray, activation: str, input_gradient: bool
    ) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None]:
        rest = cache.x.shape[: -self.summed]
        d_x, d_kernel, d_bias = kernels.dense_backward(
            cache.x.reshape(*rest, -1),
            cache.z.reshape(*rest, -1),
            self._as_matrix(),
            d_z.reshape(*rest, -1),
            activation=activation,
            use_bias=self.use_bias,
            input_gradient=input_gradient,
        )
        return (
            None if d_x is None else d_x.reshape(cache.x.shape),
            d_kernel.reshape(self.kernel.shape),
            None if d_bias is None else d_bias.reshape(self.sizes),
        )
