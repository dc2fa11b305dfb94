"""All dimensions of a sample as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.arguments import data_format_of
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Flatten(Layer):
    """Makes one dimension of all but the batch.

    Args:
        data_format: "channels_last" (or None), or "channels_first": the second dimension then
            moves to the end first.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, ...]`.

    Returns of a call:
        `[batch, entries]`.

    Raises:
        ValueError: If `data_format` is not valid.

    Example:
        >>> import numpy as np
        >>> Flatten()(np.zeros((2, 3, 4))).shape
        (2, 12)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format)
        self.built = True  # there are no weights to make

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch and the number of entries, None if a size is open."""
        sizes = [size for size in input_shape[1:] if size is not None]
        return (input_shape[0], math.prod(sizes) if len(sizes) == len(input_shape) - 1 else None)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, tuple[int, ...]]:
        """Reshape the input. The cache is the shape before."""
        if self.data_format == "channels_first" and x.ndim > 2:
            x = np.moveaxis(x, 1, -1)
        return np.ascontiguousarray(x.reshape(len(x), -1)), x.shape

    def backward(
        self, cache: tuple[int, ...], d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        d_x = d_y.reshape(cache)
        if self.data_format == "channels_first" and d_x.ndim > 2:
            d_x = np.ascontiguousarray(np.moveaxis(d_x, -1, 1))
        return d_x, []
