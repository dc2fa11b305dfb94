"""Windows over a time series, in batches by index: the class of tf.keras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.arguments import positive_integer
from fastrnn.random import generator


class TimeseriesGenerator:
    """Batches of the `length` steps before a step, with the target of that step.

    The sample of step `row` is `data[row - length : row : sampling_rate]`, its target
    `targets[row]`. `timeseries_dataset_from_array` is the newer function for this.

    Args:
        data: The series, [steps, ...].
        targets: Target of each step, of the same length as `data`.
        length: Steps that a sample reaches back.
        sampling_rate: Steps between the steps of a sample.
        stride: Steps between the samples.
        start_index: First step that is used.
        end_index: Last step that is used; None for the last one.
        shuffle: Whether the samples of a batch are drawn at random, each time again.
        reverse: Whether samples run backwards in time.
        batch_size: Samples per batch; the last one may have fewer.

    Raises:
        ValueError: If an argument does not fit.

    Example:
        >>> import numpy as np
        >>> batches = TimeseriesGenerator(np.arange(6), np.arange(6), length=3, batch_size=2)
        >>> len(batches), batches[0][0].tolist(), batches[0][1].tolist()
        (2, [[0, 1, 2], [1, 2, 3]], [3, 4])
    """

    def __init__(
        self,
        data: npt.ArrayLike,
        targets: npt.ArrayLike,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        self.data, self.targets = np.asarray(data), np.asarray(targets)
        if len(self.data) != len(self.targets):
            raise ValueError(
                "`data` and `targets` must have the same length. "
                f"Received: {len(self.data)} steps, {len(self.targets)} targets"
            )
        self.length = positive_integer("length", length)
        self.sampling_rate = positive_integer("sampling_rate", sampling_rate)
        self.stride = positive_integer("stride", stride)
        self.batch_size = positive_integer("batch_size", batch_size)
        self.start_index = start_index + self.length
        self.end_index = len(self.data) - 1 if end_index is None else end_index
        if start_index < 0 or not self.start_index <= self.end_index < len(self.data):
            raise ValueError(
                "`start_index`, `length` and `end_index` must leave a step to predict, and "
                f"`end_index` must be less than {len(self.data)}. Received: "
                f"start_index={start_index}, length={length}, end_index={end_index}"
            )
        self.shuffle = shuffle
        self.reverse = reverse

    def __len__(self) -> int:
        return -(-(self.end_index - self.start_index + 1) // (self.batch_size * self.stride))

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} batches. Received: index={index}")
        if self.shuffle:
            rows = generator().integers(self.start_index, self.end_index + 1, self.batch_size)
        else:
            reach = self.batch_size * self.stride
            first = self.start_index + index * reach
            rows = np.arange(first, min(first + reach, self.end_index + 1), self.stride)
        offsets = np.arange(-self.length, 0, self.sampling_rate)
        samples = self.data[rows[:, np.newaxis] + (offsets[::-1] if self.reverse else offsets)]
        return samples, self.targets[rows]

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))
