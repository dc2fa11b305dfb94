"""How often the label is among the k likeliest classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.arguments import positive_integer
from fastrnn.losses.loss import check_same_shape
from fastrnn.metrics.mean import MeanMetricWrapper


def top_k_categorical_accuracy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, k: int = 5
) -> np.ndarray:
    """Return 1.0 where fewer than k classes are likelier than the label's, else 0.0.

    Args:
        y_true: Probability of each class, shape [batch, ..., classes]; usually one-hot.
        y_pred: Probabilities or logits of the same shape.
        k: Number of classes that count as likeliest.

    Returns:
        Float32 array of shape [batch, ...].

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> top_k_categorical_accuracy([[0, 0, 1], [1, 0, 0]], [[0.1, 0.5, 0.4]] * 2, k=2)
        array([1., 0.], dtype=float32)
    """
    labels, prediction = np.asarray(y_true), np.asarray(y_pred)
    check_same_shape(labels, prediction)
    return sparse_top_k_categorical_accuracy(labels.argmax(axis=-1), prediction, k)


def sparse_top_k_categorical_accuracy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> np.ndarray:
    """Return 1.0 where fewer than k classes are likelier than the label, else 0.0.

    Args:
        y_true: Class ids, shape [batch, ...] or [batch, ..., 1].
        y_pred: Probabilities or logits, shape [batch, ..., classes]; with `from_sorted_ids` class
            ids, the likeliest first.
        k: Number of classes that count as likeliest.
        from_sorted_ids: Whether `y_pred` holds class ids.

    Returns:
        Float32 array of the shape of `y_true`. It is 0 for ids that are not a class, and where a
        prediction is not finite.

    Raises:
        ValueError: If the shapes do not fit.

    Example:
        >>> sparse_top_k_categorical_accuracy([2, 0], [[0.1, 0.5, 0.4]] * 2, k=2)
        array([1., 0.], dtype=float32)
    """
    labels, prediction = np.asarray(y_true), np.asarray(y_pred)
    ids = labels
    if labels.ndim != prediction.ndim or labels.shape[-1] != 1:
        ids = labels[..., np.newaxis]
    if ids.ndim != prediction.ndim or ids.shape[:-1] != prediction.shape[:-1]:
        check_same_shape(labels, prediction[..., 0] if prediction.ndim else prediction)
    if from_sorted_ids:
        hits = np.asarray(np.any(prediction[..., :k] == ids, axis=-1))
    else:
        ids = ids.astype(np.intp)
        known = ((ids >= 0) & (ids < prediction.shape[-1]))[..., 0]
        of_label = np.take_along_axis(prediction, np.where(known[..., np.newaxis], ids, 0), axis=-1)
        likelier = np.count_nonzero(prediction > of_label, axis=-1)
        hits = known & (likelier < k) & np.isfinite(prediction).all(axis=-1)
    return hits.astype(np.float32).reshape(labels.shape)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose one-hot label is among the k likeliest classes.

    Args:
        k: Number of classes that count as likeliest.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1], [1, 0, 0]], [[0.1, 0.5, 0.4]] * 2)
        0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: str | None = None,
    ) -> None:
        self.k = positive_integer("k", k)
        super().__init__(top_k_categorical_accuracy, name=name, dtype=dtype, k=self.k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose label, a class id, is among the k likeliest classes.

    Args:
        k: Number of classes that count as likeliest.
        name: Name of the metric.
        dtype: `"float32"` or None.
        from_sorted_ids: Whether predictions are class ids, the likeliest first.

    Example:
        >>> SparseTopKCategoricalAccuracy(k=2)([2, 0], [[0.1, 0.5, 0.4]] * 2)
        0.5
    """

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        self.k = positive_integer("k", k)
        self.from_sorted_ids = from_sorted_ids
        super().__init__(
            sparse_top_k_categorical_accuracy,
            name=name,
            dtype=dtype,
            k=self.k,
            from_sorted_ids=from_sorted_ids,
        )
