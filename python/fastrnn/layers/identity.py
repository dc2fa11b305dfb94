"""A layer that changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Identity(Layer):
    """Returns its input.

    Args:
        **kwargs: `name`, `activity_regularizer`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        The same array.

    Example:
        >>> Identity()([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True  # there are no weights to make

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        """Return the input. There is no cache."""
        return x, None

    def backward(
        self, cache: None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Return the gradient."""
        return d_y, []
