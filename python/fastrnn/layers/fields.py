"""Windows that slide over arrays of several dimensions: pictures, films, maps of sensors.

The arrays are `[batch, *sizes, features]`, the windows cut from them `[batch, *counts, *kernel,
features]`: `counts` says how many windows there are in each dimension, `kernel` how large one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.layers.layer import Shape
from fastrnn.layers.windows import count_windows, padded_steps

Sizes = Sequence[int]


class Sliding(NamedTuple):
    """How a window slides.

    Attributes:
        kernel: Its size along each dimension.
        strides: Entries from one window to the next.
        dilation: Entries from one entry of a window to the next.
        padding: "valid" or "same".
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: str

    @property
    def spans(self) -> list[int]:
        """Entries from the first of a window to its last, both counted."""
        return [
            (size - 1) * rate + 1 for size, rate in zip(self.kernel, self.dilation, strict=True)
        ]

    def counts(self, sizes: Sequence[int | None]) -> list[int | None]:
        """Return how many windows there are, None along dimensions of open size."""
        return [
            count_windows(size, span, stride, self.padding)
            for size, span, stride in zip(sizes, self.spans, self.strides, strict=True)
        ]

    def paddings(self, sizes: Sizes) -> list[tuple[int, int]]:
        """Return how many entries are put in front and behind along each dimension."""
        return [
            padded_steps(size, span, stride, self.padding)
            for size, span, stride in zip(sizes, self.spans, self.strides, strict=True)
        ]

    def region(self, tap: Sizes, counts: Sizes) -> tuple[slice, ...]:
        """Return the entries of padded arrays that are at one place of their windows.

        Args:
            tap: The place.
            counts: How many windows there are.
        """
        firsts = [place * rate for place, rate in zip(tap, self.dilation, strict=True)]
        return (
            slice(None),
            *(
                slice(first, first + (count - 1) * stride + 1, stride)
                for first, count, stride in zip(firsts, counts, self.strides, strict=True)
            ),
        )


def pad(x: np.ndarray, paddings: Sequence[tuple[int, int]], value: float = 0.0) -> np.ndarray:
    """Return an array with further entries around its inner dimensions."""
    if not any(map(any, paddings)):
        return x
    return np.pad(x, [(0, 0), *paddings, (0, 0)], constant_values=np.float32(value))


def unpad(x: np.ndarray, paddings: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return an array without the entries that `pad` put around it."""
    ends = zip(x.shape[1:-1], paddings, strict=True)
    return x[(slice(None), *(slice(front, size - behind) for size, (front, behind) in ends))]


def windows_of(x: np.ndarray, sliding: Sliding) -> np.ndarray:
    """Return the windows of a padded array, as a view."""
    rank = len(sliding.kernel)
    inner = tuple(range(1, rank + 1))
    view = np.lib.stride_tricks.sliding_window_view(x, sliding.spans, axis=inner)
    places = (slice(None, None, stride) for stride in sliding.strides)
    taps = (slice(None, None, rate) for rate in sliding.dilation)
    return np.asarray(np.moveaxis(view[(slice(None), *places, slice(None), *taps)], rank + 1, -1))


def add_windows(d_windows: np.ndarray, shape: Shape, sliding: Sliding) -> np.ndarray:
    """Return the sum of windows at their places in an array: the inverse of `windows_of`.

    Args:
        d_windows: `[batch, *counts, *kernel, features]`.
        shape: Shape of the padded array.
        sliding: How the windows slid.
    """
    rank = len(sliding.kernel)
    total = np.zeros([int(size or 0) for size in shape], np.float32)
    counts = d_windows.shape[1 : rank + 1]
    for tap in np.ndindex(*sliding.kernel):
        total[sliding.region(tap, counts)] += d_windows[(slice(None),) * (rank + 1) + tap]
    return total


def convolve(x: np.ndarray, kernel: np.ndarray, sliding: Sliding) -> np.ndarray:
    """Return the product of each window with a kernel.

    Args:
        x: `[batch, *sizes, features]`, before padding.
        kernel: `[*kernel, features, filters]`.
        sliding: How the window slides.

    Returns:
        `[batch, *counts, filters]`.
    """
    rank = len(sliding.kernel)
    cut = windows_of(pad(x, sliding.paddings(x.shape[1:-1])), sliding)
    filters = kernel.shape[-1]
    rows = cut.reshape(-1, kernel.size // filters)
    return np.asarray((rows @ kernel.reshape(-1, filters)).reshape(*cut.shape[: rank + 1], filters))


def convolve_backward(
    x: np.ndarray,
    kernel: np.ndarray,
    sliding: Sliding,
    d_y: np.ndarray,
    input_gradient: bool = True,
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the gradients of x (or None) and of the kernel; arguments as of `convolve`."""
    paddings = sliding.paddings(x.shape[1:-1])
    padded = pad(x, paddings)
    cut = windows_of(padded, sliding)
    filters = kernel.shape[-1]
    flat, d_flat = kernel.reshape(-1, filters), d_y.reshape(-1, filters)
    d_kernel = (cut.reshape(-1, len(flat)).T @ d_flat).reshape(kernel.shape)
    if not input_gradient:
        return None, d_kernel
    d_padded = add_windows((d_flat @ flat.T).reshape(cut.shape), padded.shape, sliding)
    return np.ascontiguousarray(unpad(d_padded, paddings)), d_kernel


def only_channels_last(data_format: Any) -> str:
    """Return the one order of dimensions that layers of several dimensions take.

    Raises:
        ValueError: If it is another one.
    """
    if data_format not in (None, "channels_last"):
        raise ValueError(
            "`data_format` must be 'channels_last' (or None), with the features in the last "
            f"dimension: move them there with Permute. Received: data_format={data_format!r}"
        )
    return "channels_last"


def check_field(name: str, shape: Shape, rank: int, sliding: Sliding | None = None) -> None:
    """Refuse what is not `[batch, *sizes, features]`, large enough for one window.

    Raises:
        ValueError: Says the expected and the received shape.
    """
    if len(shape) != rank + 2 or not shape[-1]:
        raise ValueError(
            f"The input of layer '{name}' must have {rank + 2} dimensions, (batch, {rank} sizes, "
            f"features), and a known number of features. Received: shape={shape}"
        )
    if sliding is not None and 0 in sliding.counts(shape[1:-1]):
        raise ValueError(
            f"The input of layer '{name}' must be as large as a window, {tuple(sliding.spans)}. "
            f"Received: shape={shape}"
        )
