"""F-scores: the harmonic mean of precision and recall, weighted by beta."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import EPSILON, check_same_shape, floats, same_rank
from fastrnn.metrics.metric import Metric

_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """F-beta score of each class: `(1 + beta^2) P R / (beta^2 P + R)`, or an average of them.

    P is the precision `TP / (TP + FP)`, R the recall `TP / (TP + FN)`. Source: van Rijsbergen,
    "Information Retrieval", 1979.

    Args:
        average: None for a score of each class, `"micro"` for the score of all classes' counts
            together, `"macro"` for the mean of the scores, `"weighted"` for their mean weighted by
            the number of labels.
        beta: Weight of the recall, a float above 0.
        threshold: What a prediction must exceed to be positive, a float in (0, 1]; None if the
            highest of each sample is the positive one.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Raises:
        ValueError: If an argument does not fit.

    Example:
        >>> score = FBetaScore("micro", beta=2.0, threshold=0.5)
        >>> round(score([[1], [1], [0]], [[0.9], [0.2], [0.3]]), 4)
        0.5556
    """

    config_arguments: tuple[str, ...] = (*Metric.config_arguments, "average", "beta", "threshold")
    sums = ("_true_positives", "_predicted", "_actual")

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in _AVERAGES:
            raise ValueError(f"`average` must be one of {_AVERAGES}. Received: average={average!r}")
        if not isinstance(beta, float) or beta <= 0.0:
            raise ValueError(f"`beta` must be a float > 0. Received: beta={beta!r}")
        if threshold is not None and not (isinstance(threshold, float) and 0.0 < threshold <= 1.0):
            raise ValueError(
                f"`threshold` must be None or a float in (0, 1]. Received: threshold={threshold!r}"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self.reset_state()

    def reset_state(self) -> None:
        """Forget all batches."""
        # One count, or one for each class.
        self._true_positives = np.zeros(())
        self._predicted = np.zeros(())
        self._actual = np.zeros(())

    def update_state(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> None:
        """Count a batch.

        Args:
            y_true: Labels 0 or 1, shape [batch, classes], or [batch] for [batch, 1].
            y_pred: Probabilities, shape [batch, classes].
            sample_weight: A scalar, or a weight for each sample.

        Raises:
            ValueError: If the shapes do not fit.
        """
        labels, prediction = same_rank(*floats(y_true, y_pred))
        check_same_shape(labels, prediction)
        if prediction.ndim != 2:
            raise ValueError(
                f"`y_pred` must have shape [batch, classes] for {type(self).__name__}. "
                f"Received: y_pred.shape={prediction.shape}"
            )
        classes = None if self.average == "micro" else prediction.shape[1]
        if self._actual.ndim and len(self._actual) != classes:
            raise ValueError(
                f"`y_pred` must have {len(self._actual)} classes, as before. "
                f"Received: y_pred.shape={prediction.shape}"
            )
        weight = _column(sample_weight, len(prediction))
        if self.threshold is None:
            # A prediction of 0 is never positive, not even as the highest one.
            highest = prediction >= prediction.max(axis=-1, keepdims=True)
            chosen = highest & (np.abs(prediction) > 1e-9)
        else:
            chosen = prediction > np.float32(self.threshold)
        axis = None if self.average == "micro" else 0
        self._true_positives = self._true_positives + np.sum(chosen * labels * weight, axis=axis)
        self._predicted = self._predicted + np.sum(chosen * weight, axis=axis)
        self._actual = self._actual + np.sum(labels * weight, axis=axis)

    def result(self) -> Any:
        """Return a float, or a float32 array of shape [classes] without `average`."""
        precision = self._true_positives / (self._predicted + EPSILON)
        recall = self._true_positives / (self._actual + EPSILON)
        square = self.beta**2
        scores = (1 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self.average == "weighted":
            return float(np.sum(scores * self._actual / (np.sum(self._actual) + EPSILON)))
        if self.average is None:
            return np.asarray(scores, dtype=np.float32)
        return float(np.mean(scores))


class F1Score(FBetaScore):
    """F1 score of each class: `2 P R / (P + R)`, or an average of them.

    Args:
        average: See `FBetaScore`.
        threshold: See `FBetaScore`.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> round(F1Score("micro", threshold=0.5)([[1], [1], [0]], [[0.9], [0.2], [0.6]]), 6)
        0.5
    """

    config_arguments: tuple[str, ...] = (*Metric.config_arguments, "average", "threshold")

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)


def _column(sample_weight: npt.ArrayLike | None, samples: int) -> np.ndarray:
    """Return the weights as a column of float64, in which sums of counts are exact."""
    weight = np.asarray(1.0 if sample_weight is None else sample_weight, dtype=np.float64)
    if weight.ndim == 2 and weight.shape[1] == 1:
        weight = weight[:, 0]
    if weight.shape not in ((), (samples,)):
        raise ValueError(
            f"`sample_weight` must be a scalar or have shape ({samples},). "
            f"Received: sample_weight.shape={weight.shape}"
        )
    return weight.reshape(-1, 1)
