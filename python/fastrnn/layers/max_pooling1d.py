"""The largest value of each feature in windows of steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.layers.pooling1d import Pooling1D
from fastrnn.layers.serialization import serializable
from fastrnn.layers.windows import pad_steps


class _Cache(NamedTuple):
    """What `forward` keeps for `backward`.

    Attributes:
        steps: Number of steps of the input.
        chosen: Which entry of its window each output is, `[batch, windows, features]`.
    """

    steps: int
    chosen: np.ndarray


@serializable("keras.layers")
class MaxPooling1D(Pooling1D):
    """Returns the largest value of each feature in each window of steps.

    As in Keras a mask ends here. Among equal values the first one of a window gets the gradient.

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
        >>> MaxPooling1D(2)([[[1.0], [3.0], [2.0], [0.0]]]).tolist()
        [[[3.0], [2.0]]]
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, _Cache]:
        """Take the maximum of each window."""
        x = self._steps_second(x)
        steps = x.shape[1]
        padded = pad_steps(x, self._padded(steps), -np.inf)
        windows = self._windows(steps) or 0
        first, *others = self._taps(padded, windows)
        y = first.copy()
        chosen = np.zeros(y.shape, np.min_scalar_type(self._span))
        for number, tap in enumerate(others, start=1):
            # The numbers grow, so the largest is the last that was larger; five times as fast as
            # an assignment to `chosen[tap > y]`.
            np.maximum(chosen, (tap > y) * chosen.dtype.type(number), out=chosen)
            np.maximum(y, tap, out=y)  # which passes NaN on
        return self._steps_second(y), _Cache(steps, chosen)

    def backward(
        self, cache: _Cache, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Give each gradient to the step that was the largest of its window."""
        if not input_gradient:
            return None, []
        d_y = self._steps_second(d_y)
        front, behind = self._padded(cache.steps)
        batch, windows, features = d_y.shape
        d_padded = np.zeros((batch, front + cache.steps + behind, features), np.float32)
        for number, d_tap in enumerate(self._taps(d_padded, windows)):
            d_tap += d_y * (cache.chosen == number)
        return self._steps_second(d_padded[:, front : front + cache.steps]), []
