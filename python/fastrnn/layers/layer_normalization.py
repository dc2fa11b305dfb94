"""Features of each sample brought to mean 0 and variance 1 (Ba et al., 2016)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn import constraints, initializers, regularizers
from fastrnn.arguments import check_number
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.normalization_axes import add_scale_and_shift, axes_of, check_axes, spread
from fastrnn.layers.serialization import serializable
from fastrnn.variable import Variable


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`, each of a shape that broadcasts to the input's.

    Attributes:
        centered: x - mean(x).
        normalized: What is multiplied with gamma.
        inverse: 1 / sqrt(variance + epsilon).
    """

    centered: np.ndarray
    normalized: np.ndarray
    inverse: np.ndarray


@serializable("keras.layers")
class LayerNormalization(Layer):
    """Computes `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.

    Mean and variance are those of the entries of one sample along `axis` (Ba et al., 2016).

    Args:
        axis: Dimension or dimensions along which is normalized. Both weights have their sizes.
        epsilon: Added to the variance, against divisions by 0.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: First value of beta.
        gamma_initializer: First value of gamma.
        beta_regularizer: Adds a penalty on beta to the loss.
        gamma_regularizer: Adds a penalty on gamma to the loss.
        beta_constraint: Projects beta after each update.
        gamma_constraint: Projects gamma after each update.
        **kwargs: `name`, `trainable`, `input_shape`. With `rms_scaling=True`, which Keras
            deprecates, the output is `gamma * x / sqrt(variance + epsilon)`.

    Call arguments:
        inputs: Array of any shape, the sizes along `axis` known.

    Returns of a call:
        An array of the same shape.

    Raises:
        TypeError: If `axis` is not an integer or list of them.
        ValueError: If an argument is not valid.

    Example:
        >>> LayerNormalization(epsilon=0.0)([[1.0, 3.0]])
        array([[-1.,  1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.rms_scaling = bool(kwargs.pop("rms_scaling", False))
        if self.rms_scaling:
            warnings.warn(
                "`rms_scaling` is deprecated in Keras: it divides by the root of the variance, "
                "not by the root of the mean square.",
                stacklevel=2,
            )
        super().__init__(**kwargs)
        self._axes = axes_of(axis)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon = check_number("epsilon", epsilon, 0.0)
        self.center = bool(center)
        self.scale = bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    @classmethod
    def _argument_names(cls) -> list[str]:
        return [*super()._argument_names(), "rms_scaling"]

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse shapes without the dimensions of `axis`, or of other sizes than the weights'."""
        check_axes(self, self._axes, shape)

    def _create_weights(self, input_shape: Shape) -> None:
        sizes = tuple(input_shape[axis] or 0 for axis in self._axes)
        scale, center = self.scale or self.rms_scaling, self.center and not self.rms_scaling
        add_scale_and_shift(self, sizes, scale, center)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, _Cache]:
        """Normalize, scale and shift the input."""
        centered = x - x.mean(axis=self._axes, keepdims=True)
        variance = np.square(centered).mean(axis=self._axes, keepdims=True)
        inverse = np.float32(1.0) / np.sqrt(variance + np.float32(self.epsilon))
        normalized = (x if self.rms_scaling else centered) * inverse
        y = normalized
        if self.gamma is not None:
            y = y * spread(self.gamma, self._axes, x.shape)
        if self.beta is not None:
            y = y + spread(self.beta, self._axes, x.shape)
        return y, _Cache(centered, normalized, inverse)

    def backward(
        self, cache: _Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        others = tuple(set(range(d_y.ndim)) - {axis % d_y.ndim for axis in self._axes})
        d_weights = []
        d = d_y
        if self.gamma is not None:
            d_gamma = (d_y * cache.normalized).sum(axis=others)
            d_weights.append(d_gamma.reshape(self.gamma.shape))
            d = d_y * spread(self.gamma, self._axes, d_y.shape)
        if self.beta is not None:
            d_weights.append(d_y.sum(axis=others).reshape(self.beta.shape))
        if not input_gradient:
            return None, d_weights
        # n = x_c r with r = (v + epsilon)^(-1/2) and v = mean(x_c^2), so d_v = -sum(d n) r^2 / 2,
        # and x_c has the gradient d r + 2 x_c d_v / size. Of n = x r it is the same, and x has d r.
        along = (d * cache.normalized).mean(axis=self._axes, keepdims=True) * cache.inverse**2
        d_x = d * cache.inverse
        if not self.rms_scaling:
            d_x -= d_x.mean(axis=self._axes, keepdims=True)
        d_x -= cache.centered * along
        return d_x, d_weights
