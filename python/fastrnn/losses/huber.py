"""Huber loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import Differential, Loss, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class Huber(Loss):
    """Squared near zero, linear beyond: outliers count less than in the squared error.

    Mean over the last axis of `error**2 / 2` where `abs(error) <= delta`, and of
    `delta abs(error) - delta**2 / 2` beyond (Huber, 1964, "Robust Estimation of a Location
    Parameter").

    Args:
        delta: The error at which the loss becomes linear.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Raises:
        ValueError: If `delta` is not positive.

    Example:
        >>> float(Huber()([[0.0, 1.0]], [[0.0, 3.0]]))
        0.75
    """

    config_arguments: tuple[str, ...] = (*Loss.config_arguments, "delta")

    symmetric = True

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not delta > 0.0:
            raise ValueError(f"`delta` must be a positive number. Received: delta={delta!r}")
        self.delta = delta

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the means and the errors clipped to [-delta, delta], over outputs."""
        delta = np.float32(self.delta)
        error = y_pred - y_true
        clipped = np.clip(error, -delta, delta)
        # c (e - c / 2) with the clipped error c is the square near zero and the line beyond.
        return mean_of_elements(clipped * (error - np.float32(0.5) * clipped), clipped)


@returns_numpy
def huber(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, delta: float = 1.0) -> np.ndarray:
    """Return the Huber loss of each sample.

    Args:
        y_true: Targets, shape [batch, ..., outputs].
        y_pred: Predictions of the same shape.
        delta: The error at which the loss becomes linear.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ or `delta` is not positive.

    Example:
        >>> huber([[0.0, 1.0]], [[0.0, 3.0]])
        array([0.75], dtype=float32)
    """
    return of_samples(Huber(delta, reduction=None), y_true, y_pred)
