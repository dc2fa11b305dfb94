"""Mean hinge errors; the functions are those of the losses."""

from __future__ import annotations

from fastrnn.losses.categorical_hinge import categorical_hinge
from fastrnn.losses.hinge import hinge
from fastrnn.losses.squared_hinge import squared_hinge
from fastrnn.metrics.mean import MeanMetricWrapper


class Hinge(MeanMetricWrapper):
    """Mean of `max(1 - y_true y_pred, 0)`; labels 0 and 1 stand for -1 and 1.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> Hinge()([[1.0, -1.0]], [[0.5, 2.0]])
        1.75
    """

    def __init__(self, name: str | None = "hinge", dtype: str | None = None) -> None:
        super().__init__(hinge, name=name, dtype=dtype)


class SquaredHinge(MeanMetricWrapper):
    """Mean of `max(1 - y_true y_pred, 0)^2`; labels 0 and 1 stand for -1 and 1.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> SquaredHinge()([[1.0, -1.0]], [[0.5, 2.0]])
        4.625
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: str | None = None) -> None:
        super().__init__(squared_hinge, name=name, dtype=dtype)


class CategoricalHinge(MeanMetricWrapper):
    """Mean of how far the score of the likeliest wrong class is from 1 below the right one's.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]])
        0.5
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: str | None = None) -> None:
        super().__init__(categorical_hinge, name=name, dtype=dtype)
