"""Logarithm of the hyperbolic cosine of the error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import Differential, NamedLoss, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class LogCosh(NamedLoss):
    """Mean over the last axis of `log(cosh(y_pred - y_true))`.

    Near `error**2 / 2` for small errors and `abs(error) - log(2)` for large ones.

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "log_cosh" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(LogCosh()([[0.0, 1.0]], [[0.0, 1.0]]))
        0.0
    """

    symmetric = True

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the means and `tanh(y_pred - y_true) / outputs`."""
        error = y_pred - y_true
        # log(cosh(x)) = x + log(1 + exp(-2 x)) - log(2), which cannot overflow.
        softplus = np.logaddexp(np.float32(0.0), np.float32(-2.0) * error)
        return mean_of_elements(error + softplus - np.float32(np.log(2.0)), np.tanh(error))


@returns_numpy
def log_cosh(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the mean of `log(cosh(error))` of each sample.

    Args:
        y_true: Targets, shape [batch, ..., outputs].
        y_pred: Predictions of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> log_cosh([[0.0, 1.0]], [[0.0, 3.0]]).round(3)
        array([0.663], dtype=float32)
    """
    return of_samples(LogCosh(reduction=None), y_true, y_pred)
