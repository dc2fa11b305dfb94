"""Masks of sequences of numbers: steps that hold nothing but a certain value."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Masking(Layer):
    """Masks the steps all of whose features are `mask_value`: layers above skip them.

    Args:
        mask_value: The value that stands for nothing.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`.

    Returns of a call:
        The inputs, with zeros at the masked steps.

    Raises:
        ValueError: If `mask_value` is not a number.

    Example:
        >>> layer = Masking(mask_value=-1.0)
        >>> layer.compute_mask([[[-1.0, -1.0], [-1.0, 2.0]]])
        array([[False,  True]])
    """

    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(mask_value, (int, float, np.number)):
            raise ValueError(f"`mask_value` must be a number. Received: mask_value={mask_value!r}")
        self.mask_value = mask_value
        self.built = True  # there are no weights to make

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse inputs without features."""
        if len(shape) < 2:
            raise ValueError(
                f"The input of layer '{self.name}' must have at least two dimensions, the last "
                f"that of the features. Received: shape={shape}"
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> np.ndarray:
        """Return which steps have a feature that is not `mask_value`. There is no other mask."""
        given: np.ndarray = np.any(np.not_equal(inputs, np.float32(self.mask_value)), axis=-1)
        return given

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Put zeros at the masked steps. The cache is the mask, `[batch, steps, 1]`."""
        given = self.compute_mask(x)[..., np.newaxis]
        if self.mask_value == 0:
            return x, given
        return np.where(given, x, np.float32(0.0)), given

    def backward(
        self, cache: np.ndarray, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Let the gradient pass where there is no mask."""
        return (d_y * cache if input_gradient else None), []
