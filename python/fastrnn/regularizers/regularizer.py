"""What all regularizers share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


class Regularizer:
    """A penalty on the values of an array, which training adds to the loss.

    Layers take regularizers of their weights, and an `activity_regularizer` of their output,
    whose penalty is divided by the size of the batch. A subclass implements `__call__` and
    `gradient`.

    Call arguments:
        x: Array, any shape.
    """

    def __call__(self, x: np.ndarray) -> float:
        """Return the penalty."""
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__`.")

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the derivative of the penalty with respect to each element, float32."""
        raise NotImplementedError(f"{type(self).__name__} must implement `gradient`.")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Regularizer:
        """Make a regularizer from the result of `get_config`."""
        return cls(**config)


def factor_of(name: str, value: Any) -> float:
    """Return the factor of a penalty as a float.

    Raises:
        ValueError: If it is no finite number of at least 0.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.number))
        or not math.isfinite(value)
        or value < 0
    ):
        raise ValueError(f"`{name}` must be a number of at least 0. Received: {name}={value!r}")
    return float(value)
