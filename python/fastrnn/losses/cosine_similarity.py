"""Cosine similarity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import EPSILON, Differential, Loss, check_axis, of_samples
from fastrnn.results import returns_numpy

_LARGEST_FACTOR = np.float32(1.0 / EPSILON)


class CosineSimilarity(Loss):
    """Negative cosine of the angle between labels and predictions, in [-1, 1].

    `-sum(u v)` over the last axis with `u = y_true / |y_true|` and `v = y_pred / |y_pred|`, where
    lengths below 1e-7 count as 1e-7. A prediction of length 0 has gradient 0, where Keras's is NaN.

    Args:
        axis: -1, the axis of the vectors.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Example:
        >>> float(CosineSimilarity()([[0.0, 1.0]], [[0.0, 3.0]]))
        -1.0
    """

    config_arguments: tuple[str, ...] = (*Loss.config_arguments, "axis")

    symmetric = True

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: str | None = None,
    ) -> None:
        check_axis(axis)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.axis = axis

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the negative cosines and `((u . v) v - u) / |y_pred|`."""
        u = y_true * _over_length(y_true)
        factor = _over_length(y_pred)
        v = y_pred * factor
        cosine = np.add.reduce(u * v, axis=-1, keepdims=True)
        # Where the length is clipped it does not depend on y_pred.
        derivative = v * cosine * (factor < _LARGEST_FACTOR) - u
        derivative *= factor * np.any(y_pred != 0.0, axis=-1, keepdims=True)
        return Differential(-cosine[..., 0], derivative)


@returns_numpy
def cosine_similarity(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, axis: int = -1) -> np.ndarray:
    """Return the negative cosine between the label and the prediction of each sample.

    Args:
        y_true: Vectors, shape [batch, ..., size].
        y_pred: Vectors of the same shape.
        axis: -1, the axis of the vectors.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> cosine_similarity([[0.0, 2.0]], [[0.0, 3.0]])
        array([-1.], dtype=float32)
    """
    return of_samples(CosineSimilarity(axis, reduction=None), y_true, y_pred)


def _over_length(vectors: np.ndarray) -> np.ndarray:
    """Return 1 / length, at most 1e7."""
    squares = np.add.reduce(np.square(vectors), axis=-1, keepdims=True)
    return np.asarray(np.minimum(np.float32(1.0) / np.sqrt(squares), _LARGEST_FACTOR))
