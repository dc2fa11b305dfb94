"""A scale and an offset that are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Rescaling(Layer):
    """Computes `y = x * scale + offset`.

    Args:
        scale: A number, or an array with one for each feature.
        offset: Likewise.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        An array of the same shape.

    Raises:
        TypeError: If `scale` or `offset` hold no numbers.

    Example:
        >>> Rescaling(0.5, offset=1.0)([[2.0, 4.0]])
        array([[2., 3.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _plain("scale", scale)
        self.offset = _plain("offset", offset)
        self.built = True  # there are no weights to make

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        """Scale the input."""
        return x * np.float32(self.scale) + np.float32(self.offset), None

    def backward(
        self, cache: None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Scale the gradient."""
        return (d_y * np.float32(self.scale) if input_gradient else None), []


def _plain(name: str, value: Any) -> Any:
    """Return a number or nested lists, as configs hold them; Keras's hold arrays in a dict."""
    if isinstance(value, dict) and "config" in value:
        value = value["config"].get("value", value)
    return as_numbers(value, name).tolist()
