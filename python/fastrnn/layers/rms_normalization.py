"""Features of each sample brought to a mean square of 1 (Zhang and Sennrich, 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.arguments import check_number
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.normalization_axes import axes_of, check_axes, spread
from fastrnn.layers.serialization import serializable


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`.

    Attributes:
        normalized: What is multiplied with the scale.
        inverse: 1 / sqrt(mean square + epsilon).
    """

    normalized: np.ndarray
    inverse: np.ndarray


@serializable("keras.layers")
class RMSNormalization(Layer):
    """Computes `y = scale * x / sqrt(mean(x^2) + epsilon)`.

    The mean is that of the entries of one sample along `axis` (Zhang and Sennrich, 2019). As in
    Keras a mask ends here.

    Args:
        axis: Dimension or dimensions along which is normalized. The scale has their sizes.
        epsilon: Added to the mean square, against divisions by 0.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape, the sizes along `axis` known.

    Returns of a call:
        An array of the same shape.

    Raises:
        TypeError: If `axis` is not an integer or list of them.
        ValueError: If an argument is not valid.

    Example:
        >>> RMSNormalization(epsilon=0.0)([[3.0, -3.0]])
        array([[ 1., -1.]], dtype=float32)
    """

    def __init__(
        self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._axes = axes_of(axis)
        self.axis = axis
        self.epsilon = check_number("epsilon", epsilon, 0.0)

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse shapes without the dimensions of `axis`, or of other sizes than the scale's."""
        check_axes(self, self._axes, shape)

    def _create_weights(self, input_shape: Shape) -> None:
        sizes = tuple(input_shape[axis] or 0 for axis in self._axes)
        self.scale = self.add_weight(sizes, "ones", "scale")

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, _Cache]:
        """Normalize and scale the input."""
        mean_square = np.square(x).mean(axis=self._axes, keepdims=True)
        inverse = np.float32(1.0) / np.sqrt(mean_square + np.float32(self.epsilon))
        normalized = x * inverse
        return normalized * spread(self.scale, self._axes, x.shape), _Cache(normalized, inverse)

    def backward(
        self, cache: _Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        others = tuple(set(range(d_y.ndim)) - {axis % d_y.ndim for axis in self._axes})
        d_scale = (d_y * cache.normalized).sum(axis=others).reshape(self.scale.shape)
        if not input_gradient:
            return None, [d_scale]
        # n = x r with r = (mean(x^2) + epsilon)^(-1/2), so that d_x = r (d_n - n mean(d_n n)).
        d = d_y * spread(self.scale, self._axes, d_y.shape)
        along = (d * cache.normalized).mean(axis=self._axes, keepdims=True)
        return (d - cache.normalized * along) * cache.inverse, [d_scale]
