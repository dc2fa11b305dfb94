"""Mean divergences of distributions; the functions are those of the losses."""

from __future__ import annotations

from fastrnn.losses.kl_divergence import kl_divergence
from fastrnn.losses.poisson import poisson
from fastrnn.metrics.mean import MeanMetricWrapper


class KLDivergence(MeanMetricWrapper):
    """Mean of `sum(y_true log(y_true / y_pred))`, the Kullback-Leibler divergence.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 4)
        0.1438
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: str | None = None) -> None:
        super().__init__(kl_divergence, name=name, dtype=dtype)


class Poisson(MeanMetricWrapper):
    """Mean of `y_pred - y_true log(y_pred)`, the Poisson likelihood but for a constant.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> round(Poisson()([[0.0, 1.0]], [[1.0, 1.0]]), 4)
        1.0
    """

    def __init__(self, name: str | None = "poisson", dtype: str | None = None) -> None:
        super().__init__(poisson, name=name, dtype=dtype)
