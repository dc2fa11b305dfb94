"""Kullback-Leibler divergence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import EPSILON, Differential, NamedLoss, of_samples
from fastrnn.results import returns_numpy


class KLDivergence(NamedLoss):
    """Divergence of distributions over the last axis: `sum(y_true log(y_true / y_pred))`.

    Both are clipped to [1e-7, 1] (Kullback and Leibler, 1951).

    Args:
        reduction: See `Loss`.
        name: Name of the loss, "kl_divergence" by default.
        dtype: `"float32"` or None.

    Example:
        >>> float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
        0.0
    """

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the divergences and `-y_true / y_pred`, zero where `y_pred` is clipped."""
        t, p = (np.clip(each, np.float32(EPSILON), np.float32(1.0)) for each in (y_true, y_pred))
        derivative = -t / p
        derivative *= p == y_pred
        return Differential(np.add.reduce(t * np.log(t / p), axis=-1), derivative)


@returns_numpy
def kl_divergence(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return the Kullback-Leibler divergence of each sample.

    Args:
        y_true: Probabilities, shape [batch, ..., outputs].
        y_pred: Probabilities of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).round(3)
        array([0.144], dtype=float32)
    """
    return of_samples(KLDivergence(reduction=None), y_true, y_pred)
