"""Another shape for each sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Reshape(Layer):
    """Gives each sample another shape, its entries in the same order.

    Args:
        target_shape: Shape of a sample, without the batch. One size may be -1: it is what the
            others leave.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, ...]`.

    Returns of a call:
        `[batch, *target_shape]`.

    Raises:
        ValueError: If `target_shape` is not valid or has another number of entries.

    Example:
        >>> import numpy as np
        >>> Reshape((-1, 2))(np.zeros((5, 6))).shape
        (5, 3, 2)
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        sizes = list(target_shape) if isinstance(target_shape, (list, tuple)) else [None]
        if sizes.count(-1) > 1 or not all(
            isinstance(size, (int, np.integer)) and size >= -1 for size in sizes
        ):
            raise ValueError(
                "`target_shape` must be a tuple of integers from 0 on, of which one may be -1. "
                f"Received: target_shape={target_shape!r}"
            )
        self.target_shape = tuple(int(size) for size in target_shape)
        self.built = True  # there are no weights to make

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse another number of entries than that of `target_shape`."""
        if len(shape) < 1 or None in shape[1:]:
            return
        entries = math.prod(size or 0 for size in shape[1:])
        wanted = math.prod(size for size in self.target_shape if size != -1)
        fits = entries == wanted
        if -1 in self.target_shape:
            fits = wanted > 0 and entries % wanted == 0
        if not fits:
            raise ValueError(
                f"A sample of the input of layer '{self.name}' must have as many entries as "
                f"`target_shape`, {self.target_shape}. Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch and `target_shape`, with a size for -1 where it is known."""
        rest: int | None = None
        if None not in input_shape[1:] and -1 in self.target_shape:
            entries = math.prod(size or 0 for size in input_shape[1:])
            rest = entries // math.prod(size for size in self.target_shape if size != -1)
        return (input_shape[0], *(rest if size == -1 else size for size in self.target_shape))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, tuple[int, ...]]:
        """Reshape the input. The cache is the shape before."""
        return x.reshape(len(x), *self.target_shape), x.shape

    def backward(
        self, cache: tuple[int, ...], d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        return d_y.reshape(cache), []
