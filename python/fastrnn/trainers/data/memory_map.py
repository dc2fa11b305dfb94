"""Memory maps of any dtype, converted batch by batch: data may be larger than the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_BYTES_AT_ONCE = 1 << 24


class ConvertedMap:
    """A memory map whose rows are converted when they are taken.

    Tokens are all checked at the beginning, in parts, so that a bad one is found before training.

    Args:
        source: The memory map, `[samples, ...]`.
        convert: Makes of some rows the array that the model takes.

    Attributes:
        shape: Shape of the converted array.
        ndim: Its number of dimensions.

    Raises:
        ValueError: If the rows do not fit the model.
    """

    def __init__(self, source: np.ndarray, convert: Callable[[np.ndarray], np.ndarray]) -> None:
        self._source = source
        self._convert = convert
        first = convert(np.asarray(source[:1]))
        self.shape = (len(source), *first.shape[1:])
        self.ndim = len(self.shape)
        if first.dtype.kind == "i":
            rows = max(_BYTES_AT_ONCE // max(source[:1].nbytes, 1), 1)
            for start in range(0, len(source), rows):
                convert(np.asarray(source[start : start + rows]))

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._convert(np.asarray(self._source[rows]))

    def take(self, rows: np.ndarray, axis: int = 0) -> np.ndarray:
        """Return some rows, converted.

        Args:
            rows: Their numbers.
            axis: 0.
        """
        return self._convert(np.asarray(self._source.take(rows, axis=axis)))

    def part(self, rows: slice) -> ConvertedMap:
        """Return some rows, not yet converted.

        Args:
            rows: Which.
        """
        made = object.__new__(ConvertedMap)
        made._source, made._convert = self._source[rows], self._convert
        made.shape, made.ndim = (len(made._source), *self.shape[1:]), self.ndim
        return made


def is_map_to_convert(value: Any) -> bool:
    """Return whether a value is a memory map of numbers of another dtype than the kernels'."""
    return (
        isinstance(value, np.memmap)
        and value.ndim > 0
        and len(value) > 0
        and value.dtype.kind in "biuf"
        and value.dtype not in (np.float32, np.int32)
    )


def part_of(array: Any, rows: slice) -> Any:
    """Return some rows of an array or of a memory map, of which none is converted yet.

    Args:
        array: Array or `ConvertedMap`.
        rows: Which.
    """
    return array.part(rows) if isinstance(array, ConvertedMap) else array[rows]
