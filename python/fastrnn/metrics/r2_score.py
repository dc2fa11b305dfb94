"""Coefficient of determination."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import check_same_shape, floats, same_rank
from fastrnn.metrics.metric import Metric

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """R² of each output: `1 - sum((y_true - y_pred)^2) / sum((y_true - mean(y_true))^2)`.

    1 is a perfect fit; 0 is as good as the mean of the labels.

    Args:
        class_aggregation: None for a score of each output, `"uniform_average"` for their mean,
            `"variance_weighted_average"` for their mean weighted by the labels' variances.
        num_regressors: Number of independent variables of the model, for the adjusted R²; 0 for
            the plain one.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Raises:
        ValueError: If an argument does not fit.

    Example:
        >>> round(R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]), 6)
        0.571429
    """

    config_arguments: tuple[str, ...] = (
        *Metric.config_arguments,
        "class_aggregation",
        "num_regressors",
    )
    sums = ("_weights", "_labels", "_squares", "_residuals", "_size")

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"`class_aggregation` must be one of {_AGGREGATIONS}. "
                f"Received: class_aggregation={class_aggregation!r}"
            )
        if num_regressors < 0:
            raise ValueError(
                f"`num_regressors` must be >= 0. Received: num_regressors={num_regressors!r}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.reset_state()

    def reset_state(self) -> None:
        """Forget all batches."""
        # Float64 [outputs] from the first batch on: sums of weights, labels and squares.
        self._weights = np.zeros(())
        self._labels = np.zeros(())
        self._squares = np.zeros(())
        self._residuals = np.zeros(())
        self._size = 0

    def update_state(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> None:
        """Add a batch.

        Args:
            y_true: Labels, shape [batch, outputs], or [batch] for [batch, 1].
            y_pred: Predictions, shape [batch, outputs].
            sample_weight: A scalar, a weight for each sample, or an array that fits `y_pred`.

        Raises:
            ValueError: If the shapes do not fit.
        """
        labels, prediction = same_rank(*floats(y_true, y_pred))
        check_same_shape(labels, prediction)
        outputs = self._labels.shape or prediction.shape[1:]
        if prediction.ndim != 2 or prediction.shape[1:] != outputs:
            width = outputs[0] if self._labels.shape else "outputs"
            raise ValueError(
                f"`y_pred` must have shape [batch, {width}] for R2Score. "
                f"Received: y_pred.shape={prediction.shape}"
            )
        given = np.asarray(1.0 if sample_weight is None else sample_weight, dtype=np.float64)
        try:
            weight = np.broadcast_to(
                given[:, np.newaxis] if given.ndim == 1 else given, labels.shape
            )
        except ValueError:
            raise ValueError(
                f"`sample_weight` must be a scalar or fit the labels of shape {labels.shape}. "
                f"Received: sample_weight.shape={given.shape}"
            ) from None
        labels = labels.astype(np.float64)
        residuals = np.square(labels - prediction)  # float64 holds the squares of all float32
        self._weights = self._weights + weight.sum(axis=0)
        self._labels = self._labels + (labels * weight).sum(axis=0)
        self._squares = self._squares + (np.square(labels) * weight).sum(axis=0)
        self._residuals = self._residuals + (residuals * weight).sum(axis=0)
        self._size += labels.size

    def result(self) -> Any:
        """Return a float, or a float32 array of shape [outputs] without `class_aggregation`.

        It is NaN without data, and for constant labels that all predictions equal.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            total = self._squares - self._labels * (self._labels / self._weights)
            scores: Any = 1.0 - self._residuals / total
            scores = np.where(np.isinf(scores), 0.0, scores)
            if self.class_aggregation == "uniform_average":
                scores = np.mean(scores)
            elif self.class_aggregation == "variance_weighted_average":
                scores = np.sum(total * scores) / np.sum(total)
        if self.num_regressors:
            scores = self._adjusted(scores)
        return float(scores) if np.ndim(scores) == 0 else np.asarray(scores, dtype=np.float32)

    def _adjusted(self, scores: Any) -> Any:
        # As in Keras, labels of several outputs count as several samples.
        free = self._size - 1 - self.num_regressors
        if free <= 0:
            warnings.warn(
                f"R2Score(num_regressors={self.num_regressors}) needs more than "
                f"{self.num_regressors + 1} labels to be adjusted: the plain score is returned.",
                stacklevel=3,
            )
            return scores
        return 1.0 - (1.0 - scores) * (self._size - 1) / free
