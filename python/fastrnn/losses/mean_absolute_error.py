"""Mean absolute error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import Differential, NamedLoss, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class MeanAbsoluteError(NamedLoss):
    """Mean over the last axis of the absolute errors: `mean(abs(y_pred - y_true))`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "mean_absolute_error" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[0.0, 3.0]]))
        1.0
    """

    symmetric = True

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the mean absolute errors and `sign(y_pred - y_true) / outputs`."""
        error = y_pred - y_true
        return mean_of_elements(np.abs(error), np.sign(error))


@returns_numpy
def mean_absolute_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the mean absolute error of each sample.

    Args:
        y_true: Targets, shape [batch, ..., outputs].
        y_pred: Predictions of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> mean_absolute_error([[0.0, 1.0]], [[0.0, 3.0]])
        array([1.], dtype=float32)
    """
    return of_samples(MeanAbsoluteError(reduction=None), y_true, y_pred)
