"""Another order of the dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Permute(Layer):
    """Puts the dimensions of each sample in another order.

    Args:
        dims: The dimensions of the input in their new order, counted from 1, without the batch.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, ...]`, of as many further dimensions as `dims`.

    Returns of a call:
        The same entries, transposed.

    Raises:
        ValueError: If `dims` are not 1, 2 and so on in some order.

    Example:
        >>> import numpy as np
        >>> Permute((2, 1))(np.zeros((5, 3, 2))).shape
        (5, 2, 3)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(dims, (list, tuple)) or sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                "`dims` must be the integers from 1 to the number of dimensions, in some order. "
                f"Received: dims={dims!r}"
            )
        self.dims = tuple(dims)
        self.built = True  # there are no weights to make

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse another number of dimensions."""
        if len(shape) != len(self.dims) + 1:
            raise ValueError(
                f"The input of layer '{self.name}' must have {len(self.dims) + 1} dimensions. "
                f"Received: shape={shape}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the sizes in their new order."""
        return tuple(input_shape[dim] for dim in (0, *self.dims))

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        """Transpose the input."""
        return np.ascontiguousarray(x.transpose(0, *self.dims)), None

    def backward(
        self, cache: None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Transpose the gradient back."""
        return np.ascontiguousarray(d_y.transpose(np.argsort((0, *self.dims)))), []
