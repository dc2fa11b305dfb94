"""How many predictions are true and false positives and negatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.metrics.confusion_matrix import COUNTS, ConfusionMatrix, checked_thresholds, is_even
from fastrnn.metrics.metric import Metric


class ThresholdedMetric(Metric):
    """Base of metrics that have one result for each threshold.

    Args:
        thresholds: Number in [0, 1] that a prediction must exceed to be positive, or a list of
            them; None for `default`.
        default: The threshold where none is given.
        name: Name of the metric.
        dtype: `"float32"` or None.
    """

    sums = COUNTS

    def __init__(self, thresholds: Any, default: float, name: str | None, dtype: str | None):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = checked_thresholds(thresholds, default)
        self._matrix = ConfusionMatrix(self.thresholds, is_even(self.thresholds))

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
            ValueError: If the shapes do not fit.
        """
        self._matrix.update(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """Return a float for one threshold, a float32 array for several."""
        values = self._values()
        return float(values[0]) if len(values) == 1 else values.astype(np.float32)

    def _values(self) -> np.ndarray:
        """Return the result for each threshold."""
        raise NotImplementedError

    def reset_state(self) -> None:
        """Forget all batches."""
        self._matrix.reset()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class _Count(ThresholdedMetric):
    """Weight of one kind of outcome.

    Args:
        thresholds: See `ThresholdedMetric`; 0.5 by default.
        name: Name of the metric.
        dtype: `"float32"` or None.
    """

    _kind: str

    def __init__(
        self, thresholds: Any = None, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(thresholds, default=0.5, name=name, dtype=dtype)

    def _values(self) -> np.ndarray:
        counts: np.ndarray = getattr(self._matrix, self._kind)
        return counts


class TruePositives(_Count):
    """Number, or weight, of the positive predictions whose label is positive.

    Args:
        thresholds: Number in [0, 1] that a prediction must exceed to be positive, or a list of
            them, each of which has its own result. Defaults to 0.5.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> TruePositives()([0, 1, 1, 1], [0.9, 0.2, 0.8, 0.7])
        2.0
    """

    _kind = "true_positives"


class FalsePositives(_Count):
    """Number, or weight, of the positive predictions whose label is 0.

    Args:
        thresholds: See `TruePositives`.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> FalsePositives()([0, 1, 0, 1], [0.9, 0.2, 0.3, 0.4])
        1.0
    """

    _kind = "false_positives"


class TrueNegatives(_Count):
    """Number, or weight, of the negative predictions whose label is 0.

    Args:
        thresholds: See `TruePositives`.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> TrueNegatives()([0, 1, 0, 1], [0.9, 0.2, 0.3, 0.4])
        1.0
    """

    _kind = "true_negatives"


class FalseNegatives(_Count):
    """Number, or weight, of the negative predictions whose label is positive.

    Args:
        thresholds: See `TruePositives`.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> FalseNegatives()([0, 1, 0, 1], [0.9, 0.2, 0.3, 0.4])
        2.0
    """

    _kind = "false_negatives"
