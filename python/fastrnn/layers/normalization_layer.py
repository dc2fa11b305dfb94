"""Features brought to mean 0 and variance 1 by the statistics of some data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable
from fastrnn.results import with_numpy
from fastrnn.variable import Variable

# Keras's `epsilon()`: the least standard deviation.
_LEAST = np.float32(1e-7)


@serializable("keras.layers")
class Normalization(Layer):
    """Computes `y = (x - mean) / sqrt(variance)`.

    Mean and variance are given, or found by `adapt` in some data; training never changes them.

    Args:
        axis: The dimensions that have statistics of their own, an integer or several; those of all
            others are pooled. None to pool all.
        mean: The mean, a number or an array of the sizes along `axis`; None if `adapt` will be
            called.
        variance: The variance, of the same shape.
        invert: Whether to undo the normalization: `y = x * sqrt(variance) + mean`.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape, the sizes along `axis` known.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If only one of mean and variance is given, or they do not fit.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
        >>> layer([[3.0, 10.0]])
        array([[ 1., -1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.axis = tuple(map(int, given))
        if (mean is None) != (variance is None):
            raise ValueError(
                "`mean` and `variance` must be given together. "
                f"Received: mean={mean}, variance={variance}"
            )
        if np.shape(mean) != np.shape(variance) or np.ndim(mean) > len(self.axis):
            raise ValueError(
                "`mean` and `variance` must have the same shape, of at most as many dimensions as "
                f"`axis` names, {len(self.axis)}. "
                f"Received: shapes {np.shape(mean)} and {np.shape(variance)}"
            )
        self.input_mean = None if mean is None else np.asarray(mean, np.float32)
        self.input_variance = None if variance is None else np.asarray(variance, np.float32)
        self.invert = bool(invert)
        self.adapt_mean: Variable | None = None
        self.adapt_variance: Variable | None = None
        self._sizes: tuple[int | None, ...] = ()  # of all dimensions, None where they are pooled

    # ------------------------------------------------------------------------ shapes, building

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse shapes without a known size along `axis`, or of another size than before."""
        rank = len(shape)
        if any(not -rank <= axis < rank or shape[axis] is None for axis in self.axis):
            raise ValueError(
                f"The input of layer '{self.name}' must have a known size along `axis`, "
                f"{self.axis}. Received: shape={shape}"
            )
        if self.built and self._sizes_of(shape) != self._sizes:
            raise ValueError(
                f"The input of layer '{self.name}' must have the sizes {self._sizes}, where None "
                f"stands for any. Received: shape={shape}"
            )

    def _sizes_of(self, shape: Shape) -> tuple[int | None, ...]:
        kept = {axis % len(shape) for axis in self.axis}
        return tuple(size if place in kept else None for place, size in enumerate(shape))

    def _create_weights(self, input_shape: Shape) -> None:
        self._sizes = self._sizes_of(input_shape)
        if self.input_mean is not None:
            return
        kept = tuple(size for size in self._sizes if size is not None)
        self.adapt_mean = self.add_weight(kept, "zeros", "mean", trainable=False)
        self.adapt_variance = self.add_weight(kept, "ones", "variance", trainable=False)
        self.add_weight((), "zeros", "count", trainable=False)  # in Keras's files, always 0

    @property
    def mean(self) -> Any:
        """The mean, of a shape that broadcasts to the input's; None before it is known."""
        return with_numpy(self._spread(self.adapt_mean, self.input_mean)) if self.built else None

    @property
    def variance(self) -> Any:
        """The variance, likewise."""
        if not self.built:
            return None
        return with_numpy(self._spread(self.adapt_variance, self.input_variance))

    def _spread(self, weight: Variable | None, given: np.ndarray | None) -> np.ndarray:
        """Return statistics with a size of 1 along the dimensions that are pooled."""
        shape = [1 if size is None else size for size in self._sizes]
        if weight is not None:
            return weight.value.reshape(shape)
        assert given is not None
        kept = [place for place, size in enumerate(self._sizes) if size is not None]
        own = [1] * len(shape)
        for place, size in zip(reversed(kept), reversed(given.shape), strict=False):
            own[place] = size
        return np.broadcast_to(given.reshape(own), shape)

    # ------------------------------------------------------------------------------ adaptation

    def adapt(self, data: Any) -> None:
        """Take mean and variance from some data, in place of those that are there.

        Args:
            data: Array or nested lists; or what yields batches (with labels, which are left out),
                such as a data set or a generator.

        Raises:
            ValueError: If the data do not fit, or mean and variance were given.

        Example:
            >>> layer = Normalization(axis=None)
            >>> layer.adapt([[1.0, 2.0], [3.0, 6.0]])
            >>> layer.mean
            array([[3.]], dtype=float32)
        """
        if self.input_mean is not None:
            raise ValueError(
                f"Layer '{self.name}' was made with `mean` and `variance`, which `adapt` does not "
                "change: leave them out."
            )
        count, mean, variance = 0, np.zeros(()), np.zeros(())
        for batch in _batches(data):
            self.build(batch.shape)
            pooled = tuple(place for place, size in enumerate(self._sizes) if size is None)
            own = batch.astype(np.float64)
            more = math.prod(batch.shape[place] for place in pooled)
            own_mean, own_variance = own.mean(axis=pooled), own.var(axis=pooled)
            share = more / (count + more)
            both = mean * (1 - share) + own_mean * share
            variance = (variance + (mean - both) ** 2) * (1 - share)
            variance = variance + (own_variance + (own_mean - both) ** 2) * share
            count, mean = count + more, both
        if not count:
            raise ValueError("`data` must hold at least one sample. Received: none")
        assert self.adapt_mean is not None
        assert self.adapt_variance is not None
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    # ----------------------------------------------------------------------------- computation

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Normalize; the cache is the factor of the input."""
        mean = self._spread(self.adapt_mean, self.input_mean)
        deviation = np.maximum(
            np.sqrt(self._spread(self.adapt_variance, self.input_variance)), _LEAST
        )
        if self.invert:
            return mean + x * deviation, deviation
        return (x - mean) / deviation, np.float32(1.0) / deviation

    def backward(
        self, cache: np.ndarray, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray | None]]:
        """Go back through `forward`; no weight has a gradient."""
        return (d_y * cache if input_gradient else None), [None] * len(self._weights)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        given = (self.input_mean, self.input_variance)
        mean, variance = (None if each is None else each.tolist() for each in given)
        return self._shared_config() | {
            "axis": list(self.axis),
            "invert": self.invert,
            "mean": mean,
            "variance": variance,
        }


def _batches(data: Any) -> Iterable[np.ndarray]:
    """Yield the batches of some data; an array or list is one batch."""
    is_array = isinstance(data, (list, tuple)) or hasattr(data, "__array__")
    if is_array or not isinstance(data, Iterable):
        yield np.atleast_1d(as_numbers(data, "data"))
        return
    for batch in data:
        yield as_numbers(batch[0] if isinstance(batch, (list, tuple)) else batch, "data")
