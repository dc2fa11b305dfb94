"""Mean absolute percentage error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import EPSILON, Differential, NamedLoss, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class MeanAbsolutePercentageError(NamedLoss):
    """Mean over the last axis of the errors in percent of the target.

    `100 mean(abs(y_pred - y_true) / max(abs(y_true), 1e-7))`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "mean_absolute_percentage_error" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
        25.0
    """

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the mean percentages and `100 sign(y_pred - y_true) / abs(y_true) / outputs`."""
        error = y_pred - y_true
        percent = np.float32(100.0) / np.maximum(np.abs(y_true), np.float32(EPSILON))
        return mean_of_elements(np.abs(error) * percent, np.sign(error) * percent)


@returns_numpy
def mean_absolute_percentage_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the mean absolute percentage error of each sample.

    Args:
        y_true: Targets, shape [batch, ..., outputs].
        y_pred: Predictions of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]])
        array([25.], dtype=float32)
    """
    return of_samples(MeanAbsolutePercentageError(reduction=None), y_true, y_pred)
