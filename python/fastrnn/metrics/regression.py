"""Mean errors of predictions of numbers; the functions are those of the losses."""

from __future__ import annotations

from fastrnn.losses.mean_absolute_error import mean_absolute_error
from fastrnn.losses.mean_squared_error import mean_squared_error
from fastrnn.metrics.mean import MeanMetricWrapper


class MeanSquaredError(MeanMetricWrapper):
    """Mean of the squared errors.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(mean_squared_error, name=name, dtype=dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """Mean of the absolute errors.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(mean_absolute_error, name=name, dtype=dtype)
