"""Hinge loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import Differential, NamedLoss, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class Hinge(NamedLoss):
    """Mean over the last axis of `max(1 - y_true y_pred, 0)`, for labels -1 and 1.

    Labels that are all 0 or 1 count as -1 and 1. It is the loss of support vector machines (Cortes
    and Vapnik, 1995).

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "hinge" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(Hinge()([[0.0, 1.0]], [[-2.0, 0.5]]))
        0.25
    """

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the means and `-y_true / outputs` within the margin."""
        signs = as_signs(y_true)
        margin = np.float32(1.0) - signs * y_pred
        # At the margin itself the derivative is TensorFlow's, that of the side with a loss.
        return mean_of_elements(np.maximum(margin, np.float32(0.0)), -signs * (margin >= 0.0))


@returns_numpy
def hinge(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the hinge loss of each sample.

    Args:
        y_true: Labels, -1 and 1 or 0 and 1, shape [batch, ..., outputs].
        y_pred: Predictions of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> hinge([[0.0, 1.0]], [[-2.0, 0.5]])
        array([0.25], dtype=float32)
    """
    return of_samples(Hinge(reduction=None), y_true, y_pred)


def as_signs(labels: np.ndarray) -> np.ndarray:
    """Return -1 and 1 for labels that are all 0 or 1, other labels as they are."""
    if np.all((labels == 0.0) | (labels == 1.0)):
        return np.float32(2.0) * labels - np.float32(1.0)
    return labels
