"""Products of two inputs along one dimension of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import is_integer
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.merge import check_list_of_shapes
from fastrnn.layers.serialization import serializable

# Vectors shorter than this are divided by it, as Keras does.
_SHORTEST = np.float32(1e-7)


@serializable("keras.layers")
class Dot(Layer):
    """Sums the products of two inputs along one dimension of each, sample by sample.

    As in Keras a mask ends here.

    Args:
        axes: The dimension to sum over, or a tuple with that of the first and of the second input.
        normalize: Whether vectors along these dimensions are first divided by their lengths, so
            that the result is their cosine.
        **kwargs: `name`.

    Call arguments:
        inputs: List of two arrays.

    Returns of a call:
        Array `[batch, ...]` of the dimensions left of the first input, then those of the second;
        `[batch, 1]` if none is left.

    Raises:
        TypeError: If `axes` is not an integer, a tuple or a list.
        ValueError: If `axes` is not valid, or the sizes along the dimensions differ.

    Example:
        >>> Dot(1)([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
        [[11.0]]
    """

    takes_list = True
    supports_masking = True
    takes_padding = False  # padding would be summed over

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = axes if isinstance(axes, (list, tuple)) else [axes, axes]
        if not isinstance(axes, (list, tuple)) and not is_integer(axes):
            raise TypeError(f"`axes` must be an integer or two of them. Received: axes={axes!r}")
        if len(pair) != 2 or not all(is_integer(axis) and axis != 0 for axis in pair):
            raise ValueError(
                "`axes` must be one or two integers other than 0, the batch. "
                f"Received: axes={axes!r}"
            )
        self.axes = axes
        self.normalize = bool(normalize)
        self.built = True  # there are no weights to make

    def _axes_of(self, shapes: Sequence[Shape]) -> list[int]:
        pair = self.axes if isinstance(self.axes, (list, tuple)) else [self.axes, self.axes]
        return [axis % len(shape) for axis, shape in zip(pair, shapes, strict=True)]

    def check_input_shape(self, shape: Any) -> None:
        """Refuse what is not two shapes of equal size along the axes."""
        check_list_of_shapes(self, shape, 2)
        pair = self.axes if isinstance(self.axes, (list, tuple)) else [self.axes, self.axes]
        fits = all(-len(s) < axis < len(s) for s, axis in zip(shape, pair, strict=True))
        if fits:
            sizes = {s[axis] for s, axis in zip(shape, self._axes_of(shape), strict=True)}
            batches = {s[0] for s in shape}
            fits = len(sizes - {None}) <= 1 and len(batches - {None}) <= 1
        if not fits:
            raise ValueError(
                f"The inputs of layer '{self.name}' must have equal sizes along axes {self.axes}. "
                f"Received: shapes {list(shape)}"
            )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the dimensions that are left; see the class."""
        left, right = self._axes_of(input_shape)
        first, second = (tuple(shape) for shape in input_shape)
        rest = (*first[1:left], *first[left + 1 :], *second[1:right], *second[right + 1 :])
        return (first[0], *(rest or (1,)))

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None: the result has other dimensions."""

    def forward(self, x: list[np.ndarray], training: bool = False) -> tuple[np.ndarray, Any]:
        """Sum the products. The cache is both inputs as matrices, and how they were made."""
        left, right = self._axes_of([each.shape for each in x])
        turned = np.moveaxis(x[0], left, -1), np.moveaxis(x[1], right, 1)
        lengths: list[Any] = [None, None]
        if self.normalize:
            lengths = [_inverse_length(x[0], left), _inverse_length(x[1], right)]
            turned = (
                turned[0] * np.moveaxis(lengths[0], left, -1),
                turned[1] * np.moveaxis(lengths[1], right, 1),
            )
        batch, size = len(x[0]), x[0].shape[left]
        a = turned[0].reshape(batch, -1, size)
        b = turned[1].reshape(batch, size, -1)
        shape = self.compute_output_shape([each.shape for each in x])
        y = np.matmul(a, b).reshape(shape)
        return y, (a, b, turned[0].shape, turned[1].shape, left, right, lengths)

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[list[np.ndarray] | None, list[np.ndarray]]:
        """Go back through `forward`."""
        if not input_gradient:
            return None, []
        a, b, first, second, left, right, lengths = cache
        d = d_y.reshape(len(a), a.shape[1], b.shape[2])
        d_first = np.moveaxis(np.matmul(d, b.swapaxes(1, 2)).reshape(first), -1, left)
        d_second = np.moveaxis(np.matmul(a.swapaxes(1, 2), d).reshape(second), 1, right)
        if self.normalize:
            y = np.moveaxis(a.reshape(first), -1, left), np.moveaxis(b.reshape(second), 1, right)
            d_first = _through_length(d_first, y[0], lengths[0], left)
            d_second = _through_length(d_second, y[1], lengths[1], right)
        return [np.ascontiguousarray(d_first), np.ascontiguousarray(d_second)], []


def _inverse_length(x: np.ndarray, axis: int) -> np.ndarray:
    """Return 1 / length of the vectors along an axis, which stays as one of size 1."""
    length = np.sqrt(np.add.reduce(np.square(x), axis=axis, keepdims=True))
    return np.asarray(np.float32(1.0) / np.maximum(length, _SHORTEST))


def _through_length(d: np.ndarray, y: np.ndarray, inverse: np.ndarray, axis: int) -> np.ndarray:
    """Return the gradient of x where y = x * inverse, the inverse of the length of x.

    d_x = inverse * (d - y * sum(d * y)); without the sum where the length was too short.
    """
    along = np.add.reduce(d * y, axis=axis, keepdims=True)
    along = np.where(inverse < 1 / _SHORTEST, along, np.float32(0.0))
    return np.asarray((d - y * along) * inverse)


def dot(inputs: Sequence[Any], axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """Sum the products of two inputs along one dimension of each; see `Dot`.

    Args:
        inputs: List of two arrays or symbolic tensors.
        axes: The dimension to sum over, or a tuple with one for each input.
        **kwargs: Arguments of `Dot`.

    Returns:
        An array or a symbolic tensor.

    Example:
        >>> dot([[[1.0, 2.0]], [[3.0, 4.0]]], axes=1).tolist()
        [[11.0]]
    """
    return Dot(axes=axes, **kwargs)(inputs)
