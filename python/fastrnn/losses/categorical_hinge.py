"""Categorical hinge loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import Differential, NamedLoss, of_samples
from fastrnn.results import returns_numpy


class CategoricalHinge(NamedLoss):
    """By how much the best wrong class misses the margin: `max(wrong - right + 1, 0)`.

    `right = sum(y_true y_pred)` and `wrong = max((1 - y_true) y_pred)` over the last axis (Crammer
    and Singer, 2001).

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "categorical_hinge" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]]))
        0.5
    """

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the losses and their derivative; classes that tie for the best share it."""
        right = np.add.reduce(y_true * y_pred, axis=-1, keepdims=True)
        others = (np.float32(1.0) - y_true) * y_pred
        wrong = np.maximum.reduce(others, axis=-1, keepdims=True)
        best = (others == wrong).astype(np.float32)
        best /= np.add.reduce(best, axis=-1, keepdims=True)
        margin = wrong - right + np.float32(1.0)
        derivative = best * (np.float32(1.0) - y_true) - y_true
        derivative *= margin >= 0.0
        return Differential(np.maximum(margin, np.float32(0.0))[..., 0], derivative)


@returns_numpy
def categorical_hinge(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the categorical hinge loss of each sample.

    Args:
        y_true: One-hot labels, shape [batch, ..., outputs].
        y_pred: Scores of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> categorical_hinge([[0.0, 1.0]], [[0.5, 1.0]])
        array([0.5], dtype=float32)
    """
    return of_samples(CategoricalHinge(reduction=None), y_true, y_pred)
