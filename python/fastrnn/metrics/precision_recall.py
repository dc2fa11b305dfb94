"""Precision and recall."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.arguments import check_integer, positive_integer
from fastrnn.metrics.confusion_counts import ThresholdedMetric
from fastrnn.metrics.confusion_matrix import LOWEST, divide_no_nan


def checked_class_id(class_id: int | None) -> int | None:
    """Return `class_id`.

    Raises:
        ValueError: If it is neither None nor an integer of at least 0.
    """
    return None if class_id is None else check_integer("class_id", class_id, 0)


class _Share(ThresholdedMetric):
    """Share of true positives among some of the outcomes."""

    config_arguments: tuple[str, ...] = (*ThresholdedMetric.config_arguments, "top_k", "class_id")

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        default = 0.5 if top_k is None else LOWEST
        super().__init__(thresholds, default=default, name=name, dtype=dtype)
        self.top_k = None if top_k is None else positive_integer("top_k", top_k)
        self.class_id = checked_class_id(class_id)

    def update_state(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> None:
        """Count a batch.

        Args:
            y_true: Labels; any number other than 0 is positive.
            y_pred: Probabilities of the same shape.
            sample_weight: A scalar, or weights of as many dimensions as `y_pred` or fewer.

        Raises:
            ValueError: If the shapes do not fit each other, `top_k` or `class_id`.
        """
        self._matrix.update(y_true, y_pred, sample_weight, self.top_k, self.class_id)


class Precision(_Share):
    """Share of the positive predictions whose label is positive: `TP / (TP + FP)`.

    Args:
        thresholds: Number in [0, 1] that a prediction must exceed to be positive, or a list of
            them, each of which has its own result. Defaults to 0.5, with `top_k` to none.
        top_k: If given, only the k highest predictions of a sample can be positive.
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> Precision()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7])
        0.6666666666666666
    """

    def _values(self) -> np.ndarray:
        right = self._matrix.true_positives
        return divide_no_nan(right, right + self._matrix.false_positives)


class Recall(_Share):
    """Share of the positive labels whose prediction is positive: `TP / (TP + FN)`.

    Args:
        thresholds: See `Precision`.
        top_k: See `Precision`.
        class_id: See `Precision`.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> Recall()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7])
        0.6666666666666666
    """

    def _values(self) -> np.ndarray:
        right = self._matrix.true_positives
        return divide_no_nan(right, right + self._matrix.false_negatives)
