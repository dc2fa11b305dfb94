"""Squared hinge loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.hinge import as_signs
from fastrnn.losses.loss import Differential, NamedLoss, mean_of_elements, of_samples
from fastrnn.results import returns_numpy


class SquaredHinge(NamedLoss):
    """Mean over the last axis of `max(1 - y_true y_pred, 0)**2`, for labels -1 and 1.

    Labels that are all 0 or 1 count as -1 and 1.

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "squared_hinge" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(SquaredHinge()([[0.0, 1.0]], [[-2.0, 0.5]]))
        0.125
    """

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the means and `-2 y_true max(1 - y_true y_pred, 0) / outputs`."""
        signs = as_signs(y_true)
        margin = np.maximum(np.float32(1.0) - signs * y_pred, np.float32(0.0))
        return mean_of_elements(np.square(margin), np.float32(-2.0) * signs * margin)


@returns_numpy
def squared_hinge(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the squared hinge loss of each sample.

    Args:
        y_true: Labels, -1 and 1 or 0 and 1, shape [batch, ..., outputs].
        y_pred: Predictions of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> squared_hinge([[0.0, 1.0]], [[-2.0, 0.5]])
        array([0.125], dtype=float32)
    """
    return of_samples(SquaredHinge(reduction=None), y_true, y_pred)
