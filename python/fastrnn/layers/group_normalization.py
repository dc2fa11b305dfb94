"""Groups of features of each sample brought to mean 0 and variance 1 (Wu and He, 2018)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastrnn import constraints, initializers, regularizers
from fastrnn.arguments import check_number, is_integer
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.normalization_axes import add_scale_and_shift, check_axes, spread
from fastrnn.layers.serialization import serializable
from fastrnn.variable import Variable


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`.

    Attributes:
        normalized: What is multiplied with gamma, in the shape of the input.
        inverse: 1 / sqrt(variance + epsilon), of a shape that broadcasts to the groups.
    """

    normalized: np.ndarray
    inverse: np.ndarray


@serializable("keras.layers")
class GroupNormalization(Layer):
    """Computes `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`.

    Mean and variance are those of a group of features of one sample, over all of its steps (Wu and
    He, 2018).

    Args:
        groups: Number of groups, which divides that of the features; -1 for a group of each
            feature.
        axis: The dimension of the features.
        epsilon: Added to the variance, against divisions by 0.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: First value of beta.
        gamma_initializer: First value of gamma.
        beta_regularizer: Adds a penalty on beta to the loss.
        gamma_regularizer: Adds a penalty on gamma to the loss.
        beta_constraint: Projects beta after each update.
        gamma_constraint: Projects gamma after each update.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape, the size along `axis` known.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If an argument is not valid, or the groups do not divide the features.

    Example:
        >>> GroupNormalization(groups=2, epsilon=0.0)([[1.0, 3.0, 5.0, 9.0]])
        array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        super().__init__(**kwargs)
        if not is_integer(groups) or (groups < 1 and groups != -1):
            raise ValueError(
                f"`groups` must be a positive integer, or -1. Received: groups={groups!r}"
            )
        if not is_integer(axis) or axis == 0:
            raise ValueError(
                f"`axis` must be an integer, and not 0, the batch. Received: axis={axis!r}"
            )
        self.groups = int(groups)
        self.axis = int(axis)
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

    @property
    def takes_padding(self) -> bool:
        """False: mean and variance are those of all steps."""
        return False

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse features that the groups do not divide, or others than those of the weights."""
        check_axes(self, (self.axis,), shape)
        features = shape[self.axis] or 0
        if features % (features if self.groups == -1 else self.groups):
            raise ValueError(
                f"The input of layer '{self.name}' must have a multiple of `groups`, "
                f"{self.groups}, along `axis`, {self.axis}. Received: shape={shape}"
            )

    def _create_weights(self, input_shape: Shape) -> None:
        sizes = (input_shape[self.axis] or 0,)
        if self.groups == -1:
            self.groups = sizes[0]  # Keras's config has it so
        add_scale_and_shift(self, sizes, self.scale, self.center)

    def _grouped(self, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return the input with the features cut into groups, and the axes within a group."""
        axis = self.axis % x.ndim
        sizes = (*x.shape[:axis], self.groups, x.shape[axis] // self.groups, *x.shape[axis + 1 :])
        return x.reshape(sizes), tuple(each for each in range(1, len(sizes)) if each != axis)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, _Cache]:
        """Normalize, scale and shift the input."""
        grouped, within = self._grouped(x)
        centered = grouped - grouped.mean(axis=within, keepdims=True)
        variance = np.square(centered).mean(axis=within, keepdims=True)
        inverse = np.float32(1.0) / np.sqrt(variance + np.float32(self.epsilon))
        normalized = (centered * inverse).reshape(x.shape)
        y = normalized
        if self.gamma is not None:
            y = y * spread(self.gamma, (self.axis,), x.shape)
        if self.beta is not None:
            y = y + spread(self.beta, (self.axis,), x.shape)
        return y, _Cache(normalized, inverse)

    def backward(
        self, cache: _Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        others = tuple(each for each in range(d_y.ndim) if each != self.axis % d_y.ndim)
        d_weights = []
        d = d_y
        if self.gamma is not None:
            d_weights.append((d_y * cache.normalized).sum(axis=others))
            d = d_y * spread(self.gamma, (self.axis,), d_y.shape)
        if self.beta is not None:
            d_weights.append(d_y.sum(axis=others))
        if not input_gradient:
            return None, d_weights
        # n = (x - m) r, so that d_x = r (d_n - mean(d_n) - n mean(d_n n)) within a group.
        d_n, within = self._grouped(d)
        n, _ = self._grouped(cache.normalized)
        mean = d_n.mean(axis=within, keepdims=True)
        along = (d_n * n).mean(axis=within, keepdims=True)
        d_x: np.ndarray = (d_n - mean - n * along) * cache.inverse
        return d_x.reshape(d_y.shape), d_weights
