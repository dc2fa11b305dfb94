"""The best of one rate where another one is high enough, over all thresholds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.arguments import positive_integer
from fastrnn.metrics.confusion_matrix import COUNTS, ConfusionMatrix, divide_no_nan
from fastrnn.metrics.metric import Metric
from fastrnn.metrics.precision_recall import checked_class_id

Rate = Callable[[ConfusionMatrix], np.ndarray]


def _sensitivity(matrix: ConfusionMatrix) -> np.ndarray:
    return divide_no_nan(matrix.true_positives, matrix.true_positives + matrix.false_negatives)


def _specificity(matrix: ConfusionMatrix) -> np.ndarray:
    return divide_no_nan(matrix.true_negatives, matrix.true_negatives + matrix.false_positives)


def _precision(matrix: ConfusionMatrix) -> np.ndarray:
    return divide_no_nan(matrix.true_positives, matrix.true_positives + matrix.false_positives)


def even_thresholds(count: int) -> list[float]:
    """Return `count` thresholds from 0 to 1, or 0.5 alone."""
    return [0.5] if count == 1 else [i / (count - 1) for i in range(count)]


class _OperatingPoint(Metric):
    """The highest `_best` among the thresholds whose `_bounded` reaches the bound; 0 if none does.

    Args:
        bound: What `_bounded` must reach, in [0, 1]; an attribute of the name `_bound_name`.
        num_thresholds: Number of thresholds, which divide [0, 1] evenly.
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"` or None.
    """

    sums = COUNTS
    _bound_name: str
    _bounded: Rate
    _best: Rate

    def __init__(
        self,
        bound: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: str | None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not 0.0 <= bound <= 1.0:
            key = self._bound_name
            raise ValueError(f"`{key}` must be in [0, 1]. Received: {key}={bound!r}")
        self.value = bound
        self.num_thresholds = positive_integer("num_thresholds", num_thresholds)
        self.class_id = checked_class_id(class_id)
        self.thresholds = even_thresholds(self.num_thresholds)
        self._matrix = ConfusionMatrix(self.thresholds, even=self.num_thresholds > 1)

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
            ValueError: If the shapes do not fit each other or `class_id`.
        """
        self._matrix.update(y_true, y_pred, sample_weight, class_id=self.class_id)

    def result(self) -> float:
        """Return the best rate; 0 without samples."""
        cls = type(self)
        # Float32, as in Keras: a rate that equals the bound up to rounding reaches it.
        reached = cls._bounded(self._matrix).astype(np.float32) >= np.float32(self.value)
        return float(np.max(np.where(reached, cls._best(self._matrix), 0.0)))

    def reset_state(self) -> None:
        """Forget all batches."""
        self._matrix.reset()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {
            self._bound_name: self.value,
            "num_thresholds": self.num_thresholds,
            "class_id": self.class_id,
        }
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_OperatingPoint):
    """Best sensitivity `TP / (TP + FN)` where the specificity `TN / (TN + FP)` is high enough.

    Args:
        specificity: What the specificity must reach, in [0, 1].
        num_thresholds: Number of thresholds, which divide [0, 1] evenly.
        class_id: If given, only this class counts.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.3, 0.8])
        1.0
    """

    _bound_name = "specificity"
    _bounded = staticmethod(_specificity)
    _best = staticmethod(_sensitivity)

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_OperatingPoint):
    """Best specificity `TN / (TN + FP)` where the sensitivity `TP / (TP + FN)` is high enough.

    Args:
        sensitivity: What the sensitivity must reach, in [0, 1].
        num_thresholds: See `SensitivityAtSpecificity`.
        class_id: See `SensitivityAtSpecificity`.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> SpecificityAtSensitivity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.3, 0.8])
        1.0
    """

    _bound_name = "sensitivity"
    _bounded = staticmethod(_sensitivity)
    _best = staticmethod(_specificity)

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_OperatingPoint):
    """Best precision `TP / (TP + FP)` where the recall `TP / (TP + FN)` is high enough.

    Args:
        recall: What the recall must reach, in [0, 1].
        num_thresholds: See `SensitivityAtSpecificity`.
        class_id: See `SensitivityAtSpecificity`.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> PrecisionAtRecall(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.3, 0.8])
        1.0
    """

    _bound_name = "recall"
    _bounded = staticmethod(_sensitivity)
    _best = staticmethod(_precision)

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_OperatingPoint):
    """Best recall `TP / (TP + FN)` where the precision `TP / (TP + FP)` is high enough.

    Args:
        precision: What the precision must reach, in [0, 1].
        num_thresholds: See `SensitivityAtSpecificity`.
        class_id: See `SensitivityAtSpecificity`.
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> RecallAtPrecision(0.75)([0, 0, 1, 1], [0.1, 0.6, 0.3, 0.8])
        0.5
    """

    _bound_name = "precision"
    _bounded = staticmethod(_precision)
    _best = staticmethod(_sensitivity)

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
