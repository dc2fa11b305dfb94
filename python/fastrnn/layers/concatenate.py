"""Inputs one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import is_integer
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.merge import check_list_of_shapes
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Concatenate(Layer):
    """Puts its inputs one behind the other along one dimension.

    The mask of the output is Keras's: along the last dimension an entry counts if it counts in any
    of the inputs, and in an input without a mask all count.

    Args:
        axis: Dimension, not that of the batch.
        **kwargs: `name`.

    Call arguments:
        inputs: List of arrays whose shapes differ along `axis` alone.

    Returns of a call:
        Array whose size along `axis` is the sum of theirs.

    Raises:
        ValueError: If `axis` is not valid, or the inputs do not fit each other.

    Example:
        >>> Concatenate()([[[1.0, 2.0]], [[3.0]]]).tolist()
        [[1.0, 2.0, 3.0]]
    """

    takes_list = True
    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not is_integer(axis) or axis == 0:
            raise ValueError(
                f"`axis` must be an integer other than 0, the batch. Received: axis={axis!r}"
            )
        self.axis = int(axis)
        self.built = True  # there are no weights to make

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: not where steps are put behind each other."""
        return self.axis not in (1, -2)

    def check_input_shape(self, shape: Any) -> None:
        """Refuse what is not a list of shapes that differ along the axis alone."""
        check_list_of_shapes(self, shape)
        rank = len(shape[0])
        fits = all(len(each) == rank for each in shape) and -rank < self.axis < rank
        if fits:
            axis = self.axis % rank
            for other in range(rank):
                sizes = {each[other] for each in shape} - {None}
                fits &= other == axis or len(sizes) <= 1
        if not fits:
            raise ValueError(
                f"The inputs of layer '{self.name}' must have shapes that differ along axis "
                f"{self.axis} alone. Received: shapes {list(shape)}"
            )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of the first input with the sum of the sizes along the axis."""
        shape = list(input_shape[0])
        sizes = [each[self.axis] for each in input_shape]
        shape[self.axis] = None if None in sizes else sum(sizes)
        return tuple(shape)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the masks put behind each other, in the shape of the first dimensions."""
        if mask is None or all(each is None for each in mask):
            return None
        whole = []
        for x, own in zip(inputs, mask, strict=True):
            if own is None:
                own = np.ones(x.shape, bool)
            elif own.ndim < x.ndim:
                own = np.broadcast_to(own[..., np.newaxis], x.shape)
            whole.append(own)
        return np.concatenate(whole, axis=self.axis).any(axis=-1)

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        """Put the inputs behind each other. The cache is where they meet."""
        sizes = [each.shape[self.axis] for each in x]
        return np.concatenate(x, axis=self.axis), np.cumsum(sizes[:-1])

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[list[np.ndarray] | None, list[np.ndarray]]:
        """Cut the gradient where the inputs meet."""
        if not input_gradient:
            return None, []
        parts = np.split(d_y, cache, axis=self.axis)
        return [np.ascontiguousarray(part) for part in parts], []


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Put inputs one behind the other; see `Concatenate`.

    Args:
        inputs: List of arrays or of symbolic tensors.
        axis: Dimension, not that of the batch.
        **kwargs: Arguments of `Concatenate`.

    Returns:
        An array or a symbolic tensor.

    Example:
        >>> concatenate([[[1.0, 2.0]], [[3.0]]]).tolist()
        [[1.0, 2.0, 3.0]]
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
