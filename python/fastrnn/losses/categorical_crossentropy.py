"""Crossentropy of one-hot labels and class probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastrnn.losses.crossentropy import Crossentropy, clip
from fastrnn.losses.loss import Differential, Shape, of_samples
from fastrnn.results import returns_numpy


class CategoricalCrossentropy(Crossentropy):
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
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the crossentropies and their derivative; the labels are smoothed first."""
        differential = _of_logits if from_logits or self.from_logits else _of_probabilities
        return differential(self._smoothed(y_true, y_true.shape[-1]), y_pred)

    def _check_labels(self, labels: np.ndarray, y_pred_shape: Shape) -> None:
        warn_of_one_class(y_pred_shape)


@returns_numpy
def categorical_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """Return the categorical crossentropy of each sample.

    Args:
        y_true: Probability of each class, shape [batch, ..., classes]; usually one-hot.
        y_pred: Probabilities or logits of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: In [0, 1]: how far labels are moved towards `1 / classes`.
        axis: -1, the axis of the classes.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.2, 0.8]]).round(3)
        array([0.223], dtype=float32)
    """
    loss = CategoricalCrossentropy(from_logits, label_smoothing, axis, reduction=None)
    return of_samples(loss, y_true, y_pred)


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
    p, through = through_total(y_pred)
    clipped = clip(p)
    d_p = -t / clipped
    d_p *= clipped == p
    return Differential(-np.add.reduce(t * np.log(clipped), axis=-1), through(d_p))


def through_total(y_pred: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return `p = y_pred / sum(y_pred)` and its backward pass: d p to d y_pred."""
    total = np.add.reduce(y_pred, axis=-1, keepdims=True)
    p = y_pred / total

    def derivative(d_p: np.ndarray) -> np.ndarray:
        # Every y_pred also enters the total that scales the others.
        return np.asarray((d_p - np.add.reduce(d_p * p, axis=-1, keepdims=True)) / total)

    return p, derivative


def through_softmax(z: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return `p = softmax(z)` and its backward pass: d p to d z."""
    powers = np.exp(z - np.maximum.reduce(z, axis=-1, keepdims=True))
    p, by_powers = through_total(powers)
    return p, lambda d_p: by_powers(d_p) * powers


def warn_of_one_class(y_pred_shape: Shape) -> None:
    """Warn if there is one class only: then the crossentropy is always 0."""
    if y_pred_shape[-1] == 1:
        warnings.warn(
            "With a single class, the categorical crossentropy is always 0. With two classes "
            f"and one output, use 'binary_crossentropy'. Received: y_pred.shape={y_pred_shape}",
            SyntaxWarning,
            stacklevel=4,
        )
