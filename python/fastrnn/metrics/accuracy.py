"""How often predictions are right: equal, binary, categorical and sparse categorical."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import check_same_shape, same_rank
from fastrnn.metrics.mean import MeanMetricWrapper


def accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return 1.0 where labels and predictions are equal, else 0.0.

    Args:
        y_true: Labels, shape [batch, ...].
        y_pred: Predictions of the same shape.

    Returns:
        Float32 array of the shape of `y_pred`.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> accuracy([1, 2, 3], [1, 2, 4])
        array([1., 1., 0.], dtype=float32)
    """
    labels, prediction = same_rank(np.asarray(y_true), np.asarray(y_pred))
    check_same_shape(labels, prediction)
    return np.asarray(np.equal(labels, prediction), dtype=np.float32)


def binary_accuracy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, threshold: float = 0.5
) -> np.ndarray:
    """Return 1.0 where `y_pred > threshold` agrees with the label, else 0.0.

    Args:
        y_true: Labels 0 or 1, shape [batch, ..., outputs], or [batch] for [batch, 1].
        y_pred: Probabilities.
        threshold: What a probability must exceed to mean 1.

    Returns:
        Float32 array of the shape of `y_pred`.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> binary_accuracy([[1], [0]], [[0.9], [0.6]])
        array([[1.],
               [0.]], dtype=float32)
    """
    labels, prediction = same_rank(np.asarray(y_true), np.asarray(y_pred))
    check_same_shape(labels, prediction)
    return np.asarray(np.equal(labels, prediction > threshold), dtype=np.float32)


def categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return 1.0 where the likeliest class is the label's, else 0.0.

    Args:
        y_true: Probability of each class, shape [batch, ..., classes]; one-hot as a rule.
        y_pred: Probabilities or logits of the same shape.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]])
        array([1., 0.], dtype=float32)
    """
    labels, prediction = np.asarray(y_true), np.asarray(y_pred)
    check_same_shape(labels, prediction)
    chosen = prediction.argmax(axis=-1)
    return np.asarray(np.equal(labels.argmax(axis=-1), chosen), dtype=np.float32)


def sparse_categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> np.ndarray:
    """Return 1.0 where the likeliest class is the label, else 0.0.

    Args:
        y_true: Class ids, shape [batch, ...] or [batch, ..., 1].
        y_pred: Probabilities or logits, shape [batch, ..., classes].

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.3, 0.7]])
        array([1., 0.], dtype=float32)
    """
    labels, prediction = np.asarray(y_true), np.asarray(y_pred)
    if labels.ndim == prediction.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    chosen = prediction.argmax(axis=-1)
    check_same_shape(labels, chosen)
    return np.asarray(np.equal(labels, chosen), dtype=np.float32)


class Accuracy(MeanMetricWrapper):
    """Share of predictions that equal their label.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> Accuracy()([1, 2, 3, 4], [1, 2, 3, 5])
        0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: str | None = None) -> None:
        super().__init__(accuracy, name=name, dtype=dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """Share of probabilities on the right side of a threshold.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.
        threshold: What a probability must exceed to mean 1.

    Example:
        >>> BinaryAccuracy()([[1], [0]], [[0.9], [0.6]])
        0.5
    """

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: str | None = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(binary_accuracy, name=name, dtype=dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose likeliest class is that of a one-hot label.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.3, 0.7]])
        0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(categorical_accuracy, name=name, dtype=dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose likeliest class is the label, a class id.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.3, 0.7]])
        0.5
    """

    def __init__(
        self, name: str | None = "sparse_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(sparse_categorical_accuracy, name=name, dtype=dtype)
