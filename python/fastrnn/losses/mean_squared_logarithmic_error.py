"""Mean squared logarithmic error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import EPSILON, Differential, NamedLoss, mean_of_elements, of_samples
from fastrnn.results import returns_numpy

_LOWEST = np.float32(EPSILON)


class MeanSquaredLogarithmicError(NamedLoss):
    """Mean over the last axis of the squared differences of logarithms.

    `mean((log(1 + y_pred) - log(1 + y_true))**2)`, where values below 1e-7 count as 1e-7.

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "mean_squared_logarithmic_error" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(MeanSquaredLogarithmicError()([[0.0, 1.0]], [[0.0, 1.0]]))
        0.0
    """

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the mean squares and their derivative, zero where `y_pred` is below 1e-7."""
        shifted = np.maximum(y_pred, _LOWEST) + np.float32(1.0)
        error = np.log(shifted) - np.log(np.maximum(y_true, _LOWEST) + np.float32(1.0))
        derivative = np.float32(2.0) * error / shifted * (y_pred >= _LOWEST)
        return mean_of_elements(np.square(error), derivative)


@returns_numpy
def mean_squared_logarithmic_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the mean squared logarithmic error of each sample.

    Args:
        y_true: Targets, shape [batch, ..., outputs].
        y_pred: Predictions of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> mean_squared_logarithmic_error([[0.0, 1.0]], [[0.0, 3.0]]).round(3)
        array([0.24], dtype=float32)
    """
    return of_samples(MeanSquaredLogarithmicError(reduction=None), y_true, y_pred)
