"""The optimizer's two scalars, `iterations` and `learning_rate`, used like variables of Keras.

They are Python numbers, so that they print, compare and compute as such, and know the optimizer
that they were read from. A number does not change: after `assign`, read it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastrnn.arguments import check_number
from fastrnn.optimizers import schedules


class _Scalar:
    """What both have in common with a `Variable`."""

    name: str
    path: str
    trainable = False
    shape: tuple[int, ...] = ()
    dtype: str
    _assign: Callable[[Any], None]

    def numpy(self) -> Any:
        """Return the value as a scalar of NumPy."""
        if isinstance(self, float):
            return np.float32(float(self))
        return np.int64(int(self))  # type: ignore[call-overload]

    @property
    def value(self) -> Any:
        """The value as an array of no dimension."""
        return np.array(self.numpy())

    def _of(self, path: str, assign: Callable[[Any], None]) -> Any:
        self.path, self.name, self._assign = path, path.rpartition("/")[2], assign
        return self

    def assign(self, value: Any) -> Any:
        """Set the optimizer's value, and return it."""
        self._assign(value)
        return value

    def assign_add(self, value: Any) -> Any:
        """Add to the optimizer's value, and return the sum."""
        return self.assign(self + value)

    def assign_sub(self, value: Any) -> Any:
        """Take from the optimizer's value, and return the difference."""
        return self.assign(self - value)


class LearningRateValue(_Scalar, float):
    """The learning rate of the next update."""

    dtype = "float32"

    def __reduce__(self) -> Any:
        return float, (float(self),)


class IterationsValue(_Scalar, int):
    """The number of updates so far."""

    dtype = "int64"

    def __reduce__(self) -> Any:
        return int, (int(self),)


def plain(value: Any) -> Any:
    """Return the number that an array, a tensor or a variable of one element holds."""
    if isinstance(value, Mapping) or callable(value) or not hasattr(value, "__array__"):
        return value
    array = np.asarray(value)
    return array.item() if array.size == 1 and not isinstance(value, np.generic) else value


def check_learning_rate(learning_rate: Any) -> Any:
    """Return a learning rate as an optimizer keeps it: a number, a schedule or a function.

    Raises:
        ValueError: If it is none of these.
    """
    if isinstance(learning_rate, Mapping):
        return schedules.deserialize(learning_rate)
    if callable(learning_rate):
        return learning_rate
    # Keras keeps the learning rate as a float32, so this is the number its users see.
    return float(np.float32(check_number("learning_rate", learning_rate)))
