"""Windows that slide over the steps of a sequence: how many fit, and what is padded for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer, Shape


def integers_of(name: str, value: Any, count: int, low: int) -> tuple[int, ...]:
    """Return an integer, or a sequence of `count` of them, as a tuple of `count`.

    Raises:
        ValueError: If it is neither, or one of them is below `low`.
    """
    values = [value] * count if isinstance(value, (int, np.integer)) else value
    if (
        not isinstance(values, (tuple, list))
        or len(values) != count
        or not all(
            isinstance(each, (int, np.integer)) and not isinstance(each, bool) and each >= low
            for each in values
        )
    ):
        kind = "an integer" if count == 1 else f"an integer or a tuple of {count} integers"
        raise ValueError(f"`{name}` must be {kind} >= {low}. Received: {name}={value!r}")
    return tuple(int(each) for each in values)


def refuse_dilated_strides(strides: Any, dilation_rate: Any) -> None:
    """Refuse what Keras refuses: windows with gaps at more than one entry from each other.

    Args:
        strides: An integer, or one for each dimension.
        dilation_rate: The same.

    Raises:
        ValueError: If one of each is above 1.
    """
    if np.max(strides) > 1 and np.max(dilation_rate) > 1:
        raise ValueError(
            "`strides` and `dilation_rate` must not both be above 1. "
            f"Received: strides={strides!r}, dilation_rate={dilation_rate!r}"
        )


def padding_of(value: Any, known: Sequence[str]) -> str:
    """Return the name of a kind of padding.

    Raises:
        ValueError: If it is not one of those that are known.
    """
    padding = value.lower() if isinstance(value, str) else value
    if padding not in known:
        names = ", ".join(map(repr, known))
        raise ValueError(f"`padding` must be one of {names}. Received: padding={value!r}")
    return str(padding)


def count_windows(steps: int | None, span: int, stride: int, padding: str) -> int | None:
    """Return the number of windows, None if that of the steps is open.

    Args:
        steps: Number of steps.
        span: Steps from the first of a window to its last, both counted.
        stride: Steps from one window to the next.
        padding: "valid" for none; "same" for as many windows as strides fit; "causal" for padding
            in front alone, so that a window ends where it stands.
    """
    if steps is None:
        return None
    if padding == "valid":
        return max((steps - span) // stride + 1, 0)
    return -(-steps // stride)


def padded_steps(steps: int, span: int, stride: int, padding: str) -> tuple[int, int]:
    """Return how many steps are put in front and behind; arguments as of `count_windows`."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return span - 1, 0
    missing = max(((steps - 1) // stride) * stride + span - steps, 0)
    return missing // 2, missing - missing // 2


def pad_steps(x: np.ndarray, counts: Sequence[int], value: float = 0.0) -> np.ndarray:
    """Return sequences `[batch, steps, features]` with further steps in front and behind."""
    if not any(counts):
        return x
    front, behind = counts
    padded = np.full(
        (x.shape[0], front + x.shape[1] + behind, x.shape[2]), np.float32(value), np.float32
    )
    padded[:, front : front + x.shape[1]] = x
    return padded


class WindowLayer(Layer):
    """Base of the layers that slide a window over the steps, `[batch, steps, features]`.

    A subclass has the attributes below, and with `data_format="channels_first"` takes
    `[batch, features, steps]`.
    """

    data_format: str
    padding: str
    strides: tuple[int, ...]

    @property
    def _span(self) -> int:
        """Steps from the first of a window to its last, both counted."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_span`.")

    @property
    def _axis(self) -> int:
        """The dimension of the steps."""
        return 1 if self.data_format == "channels_last" else 2

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what has not three dimensions and enough steps for one window."""
        if len(shape) != 3:
            names = "(batch, steps, features)" if self._axis == 1 else "(batch, features, steps)"
            raise ValueError(
                f"The input of layer '{self.name}' must have three dimensions, {names}. "
                f"Received: shape={shape}"
            )
        if self._windows(shape[self._axis]) == 0:
            raise ValueError(
                f"The input of layer '{self.name}' must have as many steps as a window spans, "
                f"{self._span}. Received: shape={shape}"
            )

    def _windows(self, steps: int | None) -> int | None:
        return count_windows(steps, self._span, self.strides[0], self.padding)

    def _padded(self, steps: int) -> tuple[int, int]:
        return padded_steps(steps, self._span, self.strides[0], self.padding)

    def _steps_second(self, array: np.ndarray) -> np.ndarray:
        """Turn an array of the layer's format into `[batch, steps, features]`, or back."""
        return array if self._axis == 1 else np.ascontiguousarray(array.swapaxes(1, 2))

    def _shape_of(self, input_shape: Sequence[int | None], features: int | None) -> Shape:
        """Return the shape of the output with so many features."""
        windows = self._windows(input_shape[self._axis])
        pair = (windows, features) if self._axis == 1 else (features, windows)
        return (input_shape[0], *pair)
