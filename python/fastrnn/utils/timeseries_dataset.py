"""Windows over a time series, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.arguments import check_integer
from fastrnn.random import make_seed
from fastrnn.utils.batches import Batches


def timeseries_dataset_from_array(
    data: npt.ArrayLike,
    targets: npt.ArrayLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> TimeseriesDataset:
    """Cut a series into windows of `sequence_length` steps.

    Window i holds the steps `start_index + i sequence_stride + j sampling_rate` for
    `0 <= j < sequence_length`, and its target is `targets[start_index + i sequence_stride]`: to
    predict the value after a window, pass targets that are shifted by that many steps.

    Args:
        data: The series, [steps, ...].
        targets: What to predict, [steps, ...], one for each window that can start; None for
            windows alone.
        sequence_length: Steps of a window.
        sequence_stride: Steps between the starts of windows.
        sampling_rate: Steps between the steps of a window.
        batch_size: Windows per batch; None for one window at a time, without a dimension for it.
        shuffle: Whether each pass draws a new order.
        seed: Seed of these orders; None to draw one from the seed of `set_random_seed`.
        start_index: First step that is used; None for 0.
        end_index: First step that is no longer used; None to use all.

    Returns:
        `Batches` to loop over, any number of times, or to pass to `fit`: `(windows, targets)`, or
        `windows` without targets, of the types of `data` and `targets`. `len` is their number.

    Raises:
        ValueError: If an argument does not fit, or no window is left.

    Example:
        >>> import numpy as np
        >>> series = np.arange(6)
        >>> dataset = timeseries_dataset_from_array(series[:-2], series[2:], 2, batch_size=2)
        >>> [(x.tolist(), y.tolist()) for x, y in dataset]
        [([[0, 1], [1, 2]], [2, 3]), ([[2, 3]], [4])]
    """
    series = np.asarray(data)
    if not series.ndim:
        raise ValueError(f"`data` must be an array [steps, ...]. Received: data={data!r}")
    steps = len(series)
    for name, value in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
        ("batch_size", 1 if batch_size is None else batch_size),
    ):
        check_integer(name, value, 1)
    start = 0 if start_index is None else check_integer("start_index", start_index, 0)
    end = steps if end_index is None else check_integer("end_index", end_index, 1)
    for name, value in (
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
        ("start_index", start),
    ):
        if value >= steps:
            raise ValueError(
                f"`{name}` must be less than the number of steps. "
                f"Received: {name}={value}, data.shape={series.shape}"
            )
    if not start < end <= steps:
        raise ValueError(
            f"`end_index` must be more than `start_index`, and at most {steps}. "
            f"Received: start_index={start_index}, end_index={end_index}"
        )
    windows = end - start - (sequence_length - 1) * sampling_rate
    labels = None if targets is None else np.asarray(targets)
    if labels is not None:
        windows = min(windows, len(labels))
        labels = labels[start:end]
    if windows <= 0:
        raise ValueError(
            "`sequence_length` must leave a window. Received: "
            f"sequence_length={sequence_length}, sampling_rate={sampling_rate}, with "
            f"{end - start} steps" + ("" if labels is None else f" and {len(labels)} targets")
        )
    starts = np.arange(0, windows, sequence_stride)
    if labels is not None and starts[-1] >= len(labels):
        raise ValueError(
            f"`targets` must have an entry for each window: {start + starts[-1] + 1} or more. "
            f"Received: {start + len(labels)} targets, start_index={start_index}"
        )
    offsets = np.arange(0, sequence_length * sampling_rate, sampling_rate)
    return TimeseriesDataset(series[start:end], labels, starts, offsets, batch_size, shuffle, seed)


class TimeseriesDataset(Batches):
    """Batches of windows; see `timeseries_dataset_from_array`.

    The series is kept as it is, and only the windows of one batch are copied at a time. There are
    also the methods of `Batches`: `take`, `skip`, `map`, `shuffle` and so on.

    Args:
        data: The series, [steps, ...].
        targets: Target of the window that starts at each step, or None.
        starts: First step of each window.
        offsets: Steps of a window, from its first one.
        batch_size: Windows per batch; None for one window at a time, without a dimension for it.
        shuffle: Whether each pass draws a new order.
        seed: Seed of these orders; None for a random one.
    """

    def __init__(
        self,
        data: np.ndarray,
        targets: np.ndarray | None,
        starts: np.ndarray,
        offsets: np.ndarray,
        batch_size: int | None,
        shuffle: bool,
        seed: int | None,
    ) -> None:
        self._data = data
        self._targets = targets
        self._starts = starts
        self._offsets = offsets
        self._generator = None
        if shuffle:
            self._generator = np.random.default_rng(make_seed() if seed is None else seed)
        count = -(-len(starts) // (batch_size or 1))
        super().__init__(self._windows, lambda: count, batch_size)

    def _windows(self) -> Iterator[Any]:
        starts = self._starts
        if self._generator is not None:
            starts = self._generator.permutation(starts)
        if self.batch_size is None:
            yield from map(self._at, starts)
            return
        for first in range(0, len(starts), self.batch_size):
            yield self._at(starts[first : first + self.batch_size])

    def _at(self, starts: np.ndarray) -> Any:
        """Return the windows that start at these steps, or the one that starts at this step."""
        windows = self._data[starts[..., np.newaxis] + self._offsets]
        return windows if self._targets is None else (windows, self._targets[starts])
