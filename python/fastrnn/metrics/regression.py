"""Mean errors of predictions of numbers; the functions are those of the losses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.losses.cosine_similarity import cosine_similarity
from fastrnn.losses.log_cosh import log_cosh
from fastrnn.losses.loss import check_axis, check_same_shape, floats, same_rank
from fastrnn.losses.mean_absolute_error import mean_absolute_error
from fastrnn.losses.mean_absolute_percentage_error import mean_absolute_percentage_error
from fastrnn.losses.mean_squared_error import mean_squared_error
from fastrnn.losses.mean_squared_logarithmic_error import mean_squared_logarithmic_error
from fastrnn.metrics.mean import Average, MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper):
    """Mean of the squared errors.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> MeanSquaredError()([[0.0, 1.0]], [[0.0, 3.0]])
        2.0
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(mean_squared_error, name=name, dtype=dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of the absolute errors.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> MeanAbsoluteError()([[0.0, 1.0]], [[0.0, 3.0]])
        1.0
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(mean_absolute_error, name=name, dtype=dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """Mean of the absolute errors, in per cent of the labels.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]])
        25.0
    """

    def __init__(
        self, name: str | None = "mean_absolute_percentage_error", dtype: str | None = None
    ) -> None:
        super().__init__(mean_absolute_percentage_error, name=name, dtype=dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """Mean of the squared errors of `log(1 + x)`.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> round(MeanSquaredLogarithmicError()([[0.0, 1.0]], [[0.0, 3.0]]), 4)
        0.2402
    """

    def __init__(
        self, name: str | None = "mean_squared_logarithmic_error", dtype: str | None = None
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, name=name, dtype=dtype)


class LogCoshError(MeanMetricWrapper):
    """Mean of `log(cosh(y_pred - y_true))`.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> round(LogCoshError()([[0.0, 1.0]], [[0.0, 3.0]]), 4)
        0.6625
    """

    def __init__(self, name: str | None = "logcosh", dtype: str | None = None) -> None:
        super().__init__(log_cosh, name=name, dtype=dtype)


class RootMeanSquaredError(Average):
    """Square root of the mean of the squared errors.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> RootMeanSquaredError()([[0.0, 0.0]], [[1.0, 7.0]])
        5.0
    """

    def __init__(
        self, name: str | None = "root_mean_squared_error", dtype: str | None = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> None:
        """Add a batch.

        Args:
            y_true: Labels.
            y_pred: Predictions of the same shape.
            sample_weight: A scalar, or weights of as many dimensions as `y_pred` or fewer.

        Raises:
            ValueError: If the shapes do not fit.
        """
        labels, prediction = same_rank(*floats(y_true, y_pred))
        check_same_shape(labels, prediction)
        with np.errstate(all="ignore"):
            self._add(np.square(prediction - labels), sample_weight)

    def result(self) -> float:
        """Return the root of the mean; 0 without samples."""
        return float(np.sqrt(super().result()))


class CosineSimilarity(MeanMetricWrapper):
    """Mean of the cosine of the angle between labels and predictions.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.
        axis: -1, the axis of the vectors.

    Example:
        >>> CosineSimilarity()([[0.0, 2.0]], [[0.0, 3.0]])
        1.0
    """

    def __init__(
        self,
        name: str | None = "cosine_similarity",
        dtype: str | None = None,
        axis: int = -1,
    ) -> None:
        check_axis(axis)
        super().__init__(_cosine, name=name, dtype=dtype, axis=axis)
        self.axis = axis


def _cosine(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, axis: int) -> np.ndarray:
    # The loss is the negative: what training makes small.
    return -cosine_similarity(y_true, y_pred, axis)
