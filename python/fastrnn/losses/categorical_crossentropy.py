"""Crossentropy of one-hot labels and class probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import (
    EPSILON,
    Differential,
    Loss,
    check_crossentropy_arguments,
    check_same_shape,
    floats,
)

_LOWEST = np.float32(EPSILON)
_HIGHEST = np.float32(1.0 - EPSILON)


class CategoricalCrossentropy(Loss):
    """Crossentropy of labels given as a probability of each class: `-sum(t log(p))`.

    `p` is scaled to a sum of 1, then clipped to [1e-7, 1 - 1e-7]. On logits, `p = softmax(z)`.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        label_smoothing: In [0, 1]: how far labels are moved towards `1 / classes`.
        axis: -1, the axis of the classes.
        reduction: See `Loss`.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Example:
        >>> float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))
        0.6931471824645996
    """

    fused_activation = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        check_crossentropy_arguments(label_smoothing, axis)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the crossentropies and their derivative; the labels are smoothed first."""
        return _differentiate(y_true, y_pred, from_logits or self.from_logits, self.label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


def categorical_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """Return the categorical crossentropy of each sample.

    Args:
        y_true: Probability of each class, shape [batch, ..., classes]; one-hot as a rule.
        y_pred: Probabilities or logits of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: how far labels are moved towards `1 / classes`.
        axis: -1, the axis of the classes.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.
    """
    check_crossentropy_arguments(label_smoothing, axis)
    labels, prediction = floats(y_true, y_pred)
    check_same_shape(labels, prediction)
    return _differentiate(labels, prediction, from_logits, label_smoothing).values


def _differentiate(
    t: np.ndarray, y_pred: np.ndarray, from_logits: bool, label_smoothing: float
) -> Differential:
    if label_smoothing:
        t = t * np.float32(1.0 - label_smoothing) + np.float32(label_smoothing / t.shape[-1])
    return (_of_logits if from_logits else _of_probabilities)(t, y_pred)


def _of_logits(t: np.ndarray, z: np.ndarray) -> Differential:
    """Return `sum(t (log(sum(exp(z))) - z))` and `softmax(z) - t`.

    The derivative is that of labels which add up to 1, as TensorFlow's is.
    """
    shifted = z - np.maximum.reduce(z, axis=-1, keepdims=True)
    powers = np.exp(shifted)
    total = np.add.reduce(powers, axis=-1, keepdims=True)
    values = np.add.reduce(t * (np.log(total) - shifted), axis=-1)
    powers /= total
    powers -= t
    return Differential(values, powers)


def _of_probabilities(t: np.ndarray, y_pred: np.ndarray) -> Differential:
    """Return `-sum(t log(p))`, `p = y_pred / sum(y_pred)`, and the derivative by `y_pred`."""
    total = np.add.reduce(y_pred, axis=-1, keepdims=True)
    p = y_pred / total
    clipped = np.minimum(np.maximum(p, _LOWEST), _HIGHEST)
    values = -np.add.reduce(t * np.log(clipped), axis=-1)
    d_p = -t / clipped
    d_p *= clipped == p
    # Every y_pred also enters the total that scales the others.
    derivative = (d_p - np.add.reduce(d_p * p, axis=-1, keepdims=True)) / total
    return Differential(values, derivative)
