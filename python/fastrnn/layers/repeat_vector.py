"""One vector for every step: from an encoder to a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import is_integer
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class RepeatVector(Layer):
    """Makes a sequence of one vector, the same at each step.

    Args:
        n: Number of steps.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, features]`.

    Returns of a call:
        `[batch, n, features]`.

    Raises:
        TypeError: If `n` is not an integer.
        ValueError: If `n` is not positive.

    Example:
        >>> RepeatVector(2)([[1.0, 5.0]])
        array([[[1., 5.],
                [1., 5.]]], dtype=float32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(n):
            raise TypeError(f"`n` must be an integer. Received: n={n!r}")
        if n <= 0:
            raise ValueError(f"`n` must be positive. Received: n={n}")
        self.n = int(n)
        self.built = True  # there are no weights to make

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what is not `[batch, features]`."""
        if len(shape) != 2:
            raise ValueError(
                f"The input of layer '{self.name}' must have two dimensions, (batch, features). "
                f"Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape with `n` steps in between."""
        return (input_shape[0], self.n, input_shape[1])

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        """Repeat the input."""
        return np.repeat(x[:, np.newaxis], self.n, axis=1), None

    def backward(
        self, cache: None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Sum the gradients of all steps."""
        return d_y.sum(axis=1), []
