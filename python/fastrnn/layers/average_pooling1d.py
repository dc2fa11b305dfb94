"""The mean of each feature in windows of steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.pooling1d import Pooling1D
from fastrnn.layers.serialization import serializable
from fastrnn.layers.windows import pad_steps


@serializable("keras.layers")
class AveragePooling1D(Pooling1D):
    """Returns the mean of each feature in each window of steps.

    As in Keras a mask ends here. What padding adds to a window does not count for its mean.

    Args:
        pool_size: Number of steps in a window.
        strides: Steps from one window to the next; None for `pool_size`.
        padding: "valid" for windows within the sequence only, "same" for windows that begin at
            each stride and are cut off at the ends.
        data_format: "channels_last" (or None) for `[batch, steps, features]`, "channels_first"
            for `[batch, features, steps]`.
        name: Name of the layer.
        **kwargs: `trainable`, `input_shape`.

    Call arguments:
        inputs: `[batch, steps, features]`, at least as many steps as a window needs.

    Returns of a call:
        `[batch, windows, features]`.

    Raises:
        ValueError: If an argument is not valid.

    Example:
        >>> AveragePooling1D(2)([[[1.0], [3.0], [2.0], [0.0]]]).tolist()
        [[[2.0], [1.0]]]
    """

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, int]:
        """Take the mean of each window. The cache is the number of steps."""
        x = self._steps_second(x)
        steps = x.shape[1]
        first, *others = self._taps(pad_steps(x, self._padded(steps)), self._windows(steps) or 0)
        y = first.copy()
        for tap in others:
            y += tap
        y /= self._counts(steps)
        return self._steps_second(y), steps

    def backward(
        self, cache: int, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Share each gradient out equally among the steps of its window."""
        if not input_gradient:
            return None, []
        d_mean = self._steps_second(d_y) / self._counts(cache)
        front, behind = self._padded(cache)
        batch, windows, features = d_mean.shape
        d_padded = np.zeros((batch, front + cache + behind, features), np.float32)
        for d_tap in self._taps(d_padded, windows):
            d_tap += d_mean
        return self._steps_second(d_padded[:, front : front + cache]), []

    def _counts(self, steps: int) -> np.ndarray:
        """Return the number of steps in each window that are not padding, `[windows, 1]`."""
        ones = pad_steps(np.ones((1, steps, 1), np.float32), self._padded(steps))
        taps = list(self._taps(ones, self._windows(steps) or 0))
        counts: np.ndarray = np.sum(taps, axis=0)[0]
        return counts
