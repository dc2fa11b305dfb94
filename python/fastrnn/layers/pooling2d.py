"""Pooling over windows of rows and columns, and over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.layers.fields import (
    Sliding,
    add_windows,
    check_field,
    only_channels_last,
    pad,
    unpad,
    windows_of,
)
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable
from fastrnn.layers.windows import integers_of, padding_of


class Pooling2D(Layer):
    """Base of MaxPooling2D and AveragePooling2D."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = (2, 2),
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = integers_of("pool_size", pool_size, 2, 1)
        self.strides = self.pool_size if strides is None else integers_of("strides", strides, 2, 1)
        self.padding = padding_of(padding, ("valid", "same"))
        self.data_format = only_channels_last(data_format)
        self.built = True  # there are no weights to make

    @property
    def _sliding(self) -> Sliding:
        return Sliding(self.pool_size, self.strides, (1, 1), self.padding)

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what is too small for a window."""
        check_field(self.name, shape, 2, self._sliding)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the input shape with the numbers of windows in place of the sizes."""
        return (input_shape[0], *self._sliding.counts(input_shape[1:-1]), input_shape[-1])


class _Chosen(NamedTuple):
    """What MaxPooling2D keeps for its backward pass.

    Attributes:
        shape: Shape of the input.
        place: Which entry of its window each output is, counted over rows and columns.
    """

    shape: tuple[int, ...]
    place: np.ndarray


@serializable("keras.layers")
class MaxPooling2D(Pooling2D):
    """Returns the largest value of each feature in each window of rows and columns.

    Among equal values the first one of a window gets the gradient.

    Args:
        pool_size: Rows and columns of a window, or one number for both.
        strides: Entries from one window to the next; None for `pool_size`.
        padding: "valid" for windows within the input only, "same" for windows that begin at each
            stride and are cut off at the edges.
        data_format: "channels_last" (or None).
        name: Name of the layer.
        **kwargs: `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, rows, columns, features]`.

    Returns of a call:
        `[batch, rows, columns, features]`, a row and a column for each window.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> MaxPooling2D(2)([[[[1.0], [2.0]], [[4.0], [3.0]]]]).tolist()
        [[[[4.0]]]]
    """

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, _Chosen]:
        """Take the maximum of each window."""
        sliding = self._sliding
        cut = windows_of(pad(x, sliding.paddings(x.shape[1:-1]), -np.inf), sliding)
        flat = cut.reshape(*cut.shape[:3], -1, x.shape[-1])
        place = flat.argmax(axis=3)
        y = np.take_along_axis(flat, place[:, :, :, np.newaxis], axis=3)[:, :, :, 0]
        return np.ascontiguousarray(y), _Chosen(x.shape, place)

    def backward(
        self, cache: _Chosen, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Give each gradient to the entry that was the largest of its window."""
        if not input_gradient:
            return None, []
        sliding = self._sliding
        rows, columns = sliding.kernel
        taps = np.arange(rows * columns)[:, np.newaxis]
        d_cut = d_y[:, :, :, np.newaxis] * (cache.place[:, :, :, np.newaxis] == taps)
        return _spread(d_cut.reshape(*d_y.shape[:3], rows, columns, -1), cache.shape, sliding), []


@serializable("keras.layers")
class AveragePooling2D(Pooling2D):
    """Returns the mean of each feature in each window of rows and columns.

    Args:
        pool_size: Rows and columns of a window, or one number for both.
        strides: Entries from one window to the next; None for `pool_size`.
        padding: "valid" for windows within the input only, "same" for windows that begin at each
            stride and are cut off at the edges: the mean is that of the entries inside.
        data_format: "channels_last" (or None).
        name: Name of the layer.
        **kwargs: `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, rows, columns, features]`.

    Returns of a call:
        `[batch, rows, columns, features]`, a row and a column for each window.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> AveragePooling2D(2)([[[[1.0], [2.0]], [[4.0], [3.0]]]]).tolist()
        [[[[2.5]]]]
    """

    def forward(
        self, x: np.ndarray, training: bool = False
    ) -> tuple[np.ndarray, tuple[tuple[int, ...], np.ndarray]]:
        """Take the mean of each window. The cache is the shape of x and each window's 1 / n."""
        sliding = self._sliding
        paddings = sliding.paddings(x.shape[1:-1])
        inside = windows_of(pad(np.ones((1, *x.shape[1:-1], 1), np.float32), paddings), sliding)
        share = np.float32(1.0) / inside.sum(axis=(3, 4))
        return windows_of(pad(x, paddings), sliding).sum(axis=(3, 4)) * share, (x.shape, share)

    def backward(
        self,
        cache: tuple[tuple[int, ...], np.ndarray],
        d_y: np.ndarray,
        input_gradient: bool = True,
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Share each gradient out equally in its window."""
        if not input_gradient:
            return None, []
        shape, share = cache
        sliding = self._sliding
        d_entry = (d_y * share)[:, :, :, np.newaxis, np.newaxis]
        size = (*d_y.shape[:3], *sliding.kernel, d_y.shape[-1])
        return _spread(np.broadcast_to(d_entry, size), shape, sliding), []


def _spread(d_cut: np.ndarray, shape: tuple[int, ...], sliding: Sliding) -> np.ndarray:
    """Return the gradient of an input of a shape for that of its windows."""
    paddings = sliding.paddings(shape[1:-1])
    sizes = (size + sum(ends) for size, ends in zip(shape[1:-1], paddings, strict=True))
    d_padded = add_windows(d_cut, (shape[0], *sizes, shape[-1]), sliding)
    return np.ascontiguousarray(unpad(d_padded, paddings))


class GlobalPooling2D(Layer):
    """Base of GlobalMaxPooling2D and GlobalAveragePooling2D."""

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = only_channels_last(data_format)
        self.keepdims = bool(keepdims)
        self.built = True  # there are no weights to make

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what has not four dimensions."""
        check_field(self.name, shape, 2)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the batch and the features."""
        return (input_shape[0], *((1, 1) if self.keepdims else ()), input_shape[-1])

    def _with_field(self, pooled: np.ndarray) -> np.ndarray:
        return pooled if self.keepdims else pooled[:, np.newaxis, np.newaxis]


@serializable("keras.layers")
class GlobalMaxPooling2D(GlobalPooling2D):
    """Returns the largest value of each feature over all rows and columns.

    Args:
        data_format: "channels_last" (or None).
        keepdims: Whether the dimensions of rows and columns stay, with the size 1.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, rows, columns, features]`.

    Returns of a call:
        `[batch, features]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> GlobalMaxPooling2D()([[[[1.0, 5.0], [2.0, 3.0]]]])
        array([[2., 5.]], dtype=float32)
    """

    def forward(
        self, x: np.ndarray, training: bool = False
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Take the maximum. The cache is the input and the output."""
        y: np.ndarray = x.max(axis=(1, 2), keepdims=self.keepdims)
        return y, (x, y)

    def backward(
        self, cache: tuple[np.ndarray, np.ndarray], d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Share the gradient out equally among the entries that hold the maximum."""
        if not input_gradient:
            return None, []
        x, y = cache
        largest = x == self._with_field(y)
        counts = largest.sum(axis=(1, 2), keepdims=True, dtype=np.float32)
        return largest * (self._with_field(d_y) / counts), []


@serializable("keras.layers")
class GlobalAveragePooling2D(GlobalPooling2D):
    """Returns the mean of each feature over all rows and columns.

    Args:
        data_format: "channels_last" (or None).
        keepdims: Whether the dimensions of rows and columns stay, with the size 1.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: `[batch, rows, columns, features]`.

    Returns of a call:
        `[batch, features]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> GlobalAveragePooling2D()([[[[1.0, 5.0], [2.0, 3.0]]]])
        array([[1.5, 4. ]], dtype=float32)
    """

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, tuple[int, ...]]:
        """Take the mean. The cache is the shape of the input."""
        return x.mean(axis=(1, 2), keepdims=self.keepdims), x.shape

    def backward(
        self, cache: tuple[int, ...], d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Share the gradient out equally."""
        if not input_gradient:
            return None, []
        share = self._with_field(d_y) * np.float32(1.0 / (cache[1] * cache[2]))
        return np.ascontiguousarray(np.broadcast_to(share, cache)), []
