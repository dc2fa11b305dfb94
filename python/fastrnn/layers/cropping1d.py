"""Sequences without some steps at their ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable
from fastrnn.layers.windows import integers_of, pad_steps


@serializable("keras.layers")
class Cropping1D(Layer):
    """Cuts steps off both ends of sequences.

    As in Keras a mask ends here.

    Args:
        cropping: Number of steps at each end, or a tuple of those in front and behind.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`, more steps than are cut off.

    Returns of a call:
        `[batch, fewer steps, features]`.

    Raises:
        ValueError: If `cropping` is not valid.

    Example:
        >>> Cropping1D((1, 0))([[[5.0], [6.0], [7.0]]]).tolist()
        [[[6.0], [7.0]]]
    """

    def __init__(self, cropping: int | Sequence[int] = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = integers_of("cropping", cropping, 2, 0)
        self.built = True  # there are no weights to make

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what has not three dimensions and more steps than are cut off."""
        if len(shape) != 3 or (shape[1] is not None and shape[1] <= sum(self.cropping)):
            raise ValueError(
                f"The input of layer '{self.name}' must have three dimensions, (batch, steps, "
                f"features), and more than {sum(self.cropping)} steps. Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape with fewer steps."""
        batch, steps, features = input_shape
        return (batch, None if steps is None else steps - sum(self.cropping), features)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        """Cut steps off. There is no cache."""
        front, behind = self.cropping
        return np.ascontiguousarray(x[:, front : x.shape[1] - behind]), None

    def backward(
        self, cache: None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Return zeros as the gradient of the steps that were cut off."""
        front, behind = self.cropping
        return pad_steps(d_y, (front, behind)) if input_gradient else None, []
