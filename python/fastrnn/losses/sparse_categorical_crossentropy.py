"""Crossentropy of class ids and class probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.crossentropy import clip
from fastrnn.losses.loss import (
    Differential,
    Loss,
    Shape,
    check_axis,
    check_class_ids,
    of_samples,
    same_shapes,
)
from fastrnn.results import returns_numpy


class SparseCategoricalCrossentropy(Loss):
    """Crossentropy of labels given as class ids: `-log(p[y_true])`.

    `p` is clipped to [1e-7, 1 - 1e-7], then scaled to a sum of 1. On logits, `p = softmax(z)`.

    Args:
        from_logits: Whether `y_pred` holds logits rather than probabilities.
        ignore_class: Class id whose samples do not count, such as -1; None for no such id.
        reduction: See `Loss`.
        axis: -1, the axis of the classes.
        name: Name of the loss.
        dtype: `"float32"` or None.

    Example:
        >>> float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))
        0.6931471824645996
    """

    fused_activation: str | None = "softmax"
    config_arguments: tuple[str, ...] = (
        *Loss.config_arguments,
        "from_logits",
        "ignore_class",
        "axis",
    )

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        check_axis(axis)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
        if ignore_class is not None:
            # Keras blanks ignored predictions first and so loses sight of the softmax.
            self.fused_activation = None

    def differentiate(
        self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
    ) -> Differential:
        """Return the crossentropies, their derivative and where a label is not ignored."""
        return _differentiate(y_true, y_pred, from_logits or self.from_logits, self.ignore_class)

    def counted(self, y_true: np.ndarray) -> np.ndarray | None:
        """Return where a label is not the ignored class."""
        return None if self.ignore_class is None else y_true != self.ignore_class

    def _check_shapes(self, y_true: Shape, y_pred: Shape) -> None:
        true = y_true[:-1] if len(y_true) == len(y_pred) and y_true[-1] == 1 else y_true
        if not same_shapes(true, y_pred[:-1]):
            raise ValueError(
                "`y_true` must have the shape of `y_pred` up to the last dimension, one class id "
                f"for each prediction. Received: y_true.shape={y_true}, y_pred.shape={y_pred}"
            )

    def _check_labels(self, labels: np.ndarray, y_pred_shape: Shape) -> None:
        if self.ignore_class is not None:
            labels = labels[labels != self.ignore_class]
        check_class_ids(labels)
        classes = y_pred_shape[-1]
        if classes is not None:
            bad = labels[(labels < 0) | (labels >= classes)]
            if bad.size:
                raise ValueError(
                    f"`y_true` must hold class ids in [0, {classes}). Received: {bad[0]}"
                )


@returns_numpy
def sparse_categorical_crossentropy(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> np.ndarray:
    """Return the crossentropy of each sample; 0 where the class is ignored.

    Args:
        y_true: Class ids, shape [batch, ...] or [batch, ..., 1].
        y_pred: Probabilities or logits, shape [batch, ..., classes].
        from_logits: Whether `y_pred` holds logits.
        ignore_class: Class id whose samples do not count; None for no such id.
        axis: -1, the axis of the classes.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If shapes do not fit or ids are not classes.

    Example:
        >>> sparse_categorical_crossentropy([1, 0], [[0.2, 0.8], [0.2, 0.8]]).round(3)
        array([0.223, 1.609], dtype=float32)
    """
    loss = SparseCategoricalCrossentropy(from_logits, ignore_class, None, axis)
    return of_samples(loss, y_true, y_pred)


def _differentiate(
    y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool, ignore_class: int | None
) -> Differential:
    shape = y_pred.shape
    rows = y_pred.reshape(-1, shape[-1])
    ids = y_true.astype(np.intp).ravel()
    valid = None
    if ignore_class is not None:
        valid = ids != ignore_class
        ids = np.where(valid, ids, 0)
    values, derivative = (_of_logits if from_logits else _of_probabilities)(ids, rows)
    if valid is not None:
        values = np.where(valid, values, np.float32(0.0))
        derivative *= valid[:, np.newaxis]
        valid = valid.reshape(shape[:-1])
    return Differential(values.reshape(shape[:-1]), derivative.reshape(shape), valid)


def _of_logits(ids: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `log(sum(exp(z))) - z[id]` and `softmax(z) - onehot(id)`; z is [samples, classes]."""
    at_id = np.arange(len(ids)), ids
    shifted = z - np.maximum.reduce(z, axis=-1, keepdims=True)
    powers = np.exp(shifted)
    total = np.add.reduce(powers, axis=-1, keepdims=True)
    values = np.log(total[:, 0]) - shifted[at_id]
    powers /= total
    powers[at_id] -= np.float32(1.0)
    return values, powers


def _of_probabilities(ids: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `-log(p[id] / sum(p))` and its derivative, zero where `p` is clipped."""
    at_id = np.arange(len(ids)), ids
    p = clip(y_pred)
    total = np.add.reduce(p, axis=-1, keepdims=True)
    chosen = p[at_id]
    values = np.log(total[:, 0]) - np.log(chosen)
    derivative = np.repeat(np.float32(1.0) / total, p.shape[-1], axis=-1)
    derivative[at_id] -= np.float32(1.0) / chosen
    derivative *= p == y_pred
    return values, derivative
