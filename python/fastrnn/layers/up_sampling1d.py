"""Sequences whose steps are repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import positive_integer
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class UpSampling1D(Layer):
    """Repeats each step of its input.

    As in Keras a mask ends here.

    Args:
        size: How often each step stands in the output.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`.

    Returns of a call:
        `[batch, size * steps, features]`.

    Raises:
        ValueError: If `size` is not a positive integer.

    Example:
        >>> UpSampling1D(2)([[[5.0], [6.0]]]).tolist()
        [[[5.0], [5.0], [6.0], [6.0]]]
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = positive_integer("size", size)
        self.built = True  # there are no weights to make

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what has not three dimensions."""
        if len(shape) != 3:
            raise ValueError(
                f"The input of layer '{self.name}' must have three dimensions, (batch, steps, "
                f"features). Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape with more steps."""
        batch, steps, features = input_shape
        return (batch, None if steps is None else self.size * steps, features)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        """Repeat each step. There is no cache."""
        return np.repeat(x, self.size, axis=1), None

    def backward(
        self, cache: None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Add up the gradients of a step's copies."""
        if not input_gradient:
            return None, []
        batch, steps, features = d_y.shape
        copies = d_y.reshape(batch, steps // self.size, self.size, features)
        return copies.sum(axis=2), []
