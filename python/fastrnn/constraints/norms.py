"""Bounds on the length of each unit's incoming weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.arguments import check_number, is_integer
from fastrnn.constraints.constraint import Constraint

_EPSILON = np.float32(1e-7)  # avoids a division by 0 for a vector of zeros


class _NormConstraint(Constraint):
    """Scales vectors along `axis` to a length that a subclass computes from the present one.

    Args:
        axis: Dimension or dimensions along which the weights of one unit lie: 0 for the columns
            of a kernel `[features, units]`.

    Raises:
        ValueError: If `axis` is not an integer or a list of integers.
    """

    config_arguments: tuple[str, ...] = ("axis",)

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        axes = axis if isinstance(axis, (tuple, list)) else [axis]
        for each in axes:
            if not is_integer(each):
                raise ValueError(
                    f"`axis` must be an integer or a list of integers. Received: axis={axis!r}"
                )
        self.axis = axis

    def __call__(self, w: npt.ArrayLike) -> np.ndarray:
        """Return the new value of the weight, of the same shape, float32."""
        weights = np.asarray(w, dtype=np.float32)
        axis = self.axis if isinstance(self.axis, (int, np.integer)) else tuple(self.axis)
        norms = np.sqrt(np.square(weights).sum(axis=axis, keepdims=True))
        scaled: np.ndarray = weights * (self._desired(norms) / (_EPSILON + norms))
        return scaled

    def _desired(self, norms: np.ndarray) -> np.ndarray:
        """Return the new lengths of vectors of these lengths."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_desired`.")


class MaxNorm(_NormConstraint):
    """Shortens vectors that are longer than `max_value` (Srebro and Shraibman, 2005).

    Args:
        max_value: The largest length.
        axis: Dimension or dimensions along which the weights of one unit lie.

    Raises:
        ValueError: If `max_value` is not a number of at least 0, or `axis` is not an integer or a
            list of integers.

    Example:
        >>> MaxNorm(2.0)([[3.0, 0.5], [4.0, 0.5]]).round(3)
        array([[1.2, 0.5],
               [1.6, 0.5]], dtype=float32)
    """

    config_arguments: tuple[str, ...] = ("max_value", "axis")

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        super().__init__(axis)
        self.max_value = _bound("max_value", max_value)

    def _desired(self, norms: np.ndarray) -> np.ndarray:
        desired: np.ndarray = np.minimum(norms, np.float32(self.max_value))
        return desired


class UnitNorm(_NormConstraint):
    """Scales all vectors to length 1.

    Args:
        axis: Dimension or dimensions along which the weights of one unit lie.

    Raises:
        ValueError: If `axis` is not an integer or a list of integers.

    Example:
        >>> UnitNorm()([[3.0], [4.0]]).round(3)
        array([[0.6],
               [0.8]], dtype=float32)
    """

    def _desired(self, norms: np.ndarray) -> np.ndarray:
        return np.ones_like(norms)


class MinMaxNorm(_NormConstraint):
    """Moves the length of vectors towards the range from `min_value` to `max_value`.

    A vector of length n gets the length `rate * clip(n, min_value, max_value) + (1 - rate) * n`.

    Args:
        min_value: The smallest length.
        max_value: The largest length.
        rate: How far an update moves, from 0 to 1; 1 moves into the range.
        axis: Dimension or dimensions along which the weights of one unit lie.

    Raises:
        ValueError: If a number is not at least 0, or `axis` is not an integer or a list of
            integers.

    Example:
        >>> MinMaxNorm(max_value=1.0, rate=0.5)([[3.0], [4.0]]).round(3)
        array([[1.8],
               [2.4]], dtype=float32)
    """

    config_arguments: tuple[str, ...] = ("min_value", "max_value", "rate", "axis")

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None:
        super().__init__(axis)
        self.min_value = _bound("min_value", min_value)
        self.max_value = _bound("max_value", max_value)
        self.rate = _bound("rate", rate)

    def _desired(self, norms: np.ndarray) -> np.ndarray:
        rate = np.float32(self.rate)
        clipped = np.clip(norms, np.float32(self.min_value), np.float32(self.max_value))
        desired: np.ndarray = rate * clipped + (1 - rate) * norms
        return desired


def _bound(name: str, value: Any) -> Any:
    check_number(name, value, 0.0)
    return value  # as it was given, for the config
