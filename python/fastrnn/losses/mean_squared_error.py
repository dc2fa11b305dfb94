"""Mean squared error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import (
    Differential,
    Loss,
    check_same_shape,
    floats,
    mean_of_last_axis,
    same_rank,
)


class MeanSquaredError(Loss):
    """Mean over the last axis of the squared errors: `mean((y_true - y_pred)**2)`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Example:
        >>> float(MeanSquaredError()([[0.0, 1.0]], [[0.0, 3.0]]))
        2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the mean squares and `2 (y_pred - y_true) / features`."""
        error = y_pred - y_true
        values = mean_of_last_axis(np.square(error))
        error *= np.float32(2.0 / error.shape[-1])
        return Differential(values, error)


def mean_squared_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the mean squared error of each sample.

    Args:
        y_true: Targets, shape [batch, ..., features].
        y_pred: Predictions of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.
    """
    labels, prediction = same_rank(*floats(y_true, y_pred))
    check_same_shape(labels, prediction)
    return mean_of_last_axis(np.square(prediction - labels))
