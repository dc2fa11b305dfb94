"""Mean absolute error."""

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


class MeanAbsoluteError(Loss):
    """Mean over the last axis of the absolute errors: `mean(abs(y_true - y_pred))`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Example:
        >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[0.0, 3.0]]))
        1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the mean absolute errors and `sign(y_pred - y_true) / features`."""
        error = y_pred - y_true
        values = mean_of_last_axis(np.abs(error))
        derivative = np.sign(error)
        derivative *= np.float32(1.0 / error.shape[-1])
        return Differential(values, derivative)


def mean_absolute_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the mean absolute error of each sample.

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
    return mean_of_last_axis(np.abs(prediction - labels))
