"""Poisson loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import EPSILON, Differential, NamedLoss, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class Poisson(NamedLoss):
    """Mean over the last axis of `y_pred - y_true log(y_pred + 1e-7)`.

    Up to a constant, the negative log-likelihood of counts `y_true` at rates `y_pred`.

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "poisson" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(Poisson()([[0.0, 1.0]], [[1.0, 1.0]]))
        0.9999999403953552
    """

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the means and `(1 - y_true / (y_pred + 1e-7)) / outputs`."""
        rate = y_pred + np.float32(EPSILON)
        return mean_of_elements(y_pred - y_true * np.log(rate), np.float32(1.0) - y_true / rate)


@returns_numpy
def poisson(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the Poisson loss of each sample.

    Args:
        y_true: Counts, shape [batch, ..., outputs].
        y_pred: Rates of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> poisson([[0.0, 1.0]], [[1.0, 1.0]]).round(3)
        array([1.], dtype=float32)
    """
    return of_samples(Poisson(reduction=None), y_true, y_pred)
