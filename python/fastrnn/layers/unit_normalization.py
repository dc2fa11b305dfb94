"""Vectors brought to the length 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.normalization_axes import axes_of, check_axes
from fastrnn.layers.serialization import serializable

# As in Keras no vector is made longer by more than this factor; zeros stay zeros.
_LARGEST_FACTOR = np.float32(1e12)


@serializable("keras.layers")
class UnitNormalization(Layer):
    """Divides each vector by its length: `y = x / sqrt(sum(x^2))`.

    Args:
        axis: Dimension or dimensions along which the squares add up to 1.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        An array of the same shape.

    Raises:
        TypeError: If `axis` is not an integer or list of them.
        ValueError: If the input does not have the dimensions.

    Example:
        >>> UnitNormalization()([[3.0, 4.0]])
        array([[0.6, 0.8]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._axes = axes_of(axis)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.built = True  # there are no weights to make

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: where the axis is that of the features."""
        return self._axes == (-1,)

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse shapes without the dimensions of `axis`."""
        check_axes(self, self._axes, shape, known=False)

    def forward(
        self, x: np.ndarray, training: bool = False
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Normalize the input. The cache is the output and the factor of each vector."""
        self.check_input_shape(x.shape)
        squares = np.square(x).sum(axis=self._axes, keepdims=True)
        with np.errstate(divide="ignore"):
            factor = np.minimum(np.float32(1.0) / np.sqrt(squares), _LARGEST_FACTOR)
        y = x * factor
        return y, (y, factor)

    def backward(
        self,
        cache: tuple[np.ndarray, np.ndarray],
        d_y: np.ndarray,
        input_gradient: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        if not input_gradient:
            return None, []
        y, factor = cache
        along = (d_y * y).sum(axis=self._axes, keepdims=True)
        # Where the factor is the largest one it does not depend on x.
        along = np.where(factor < _LARGEST_FACTOR, along, np.float32(0))
        return (d_y - y * along) * factor, []
