"""Whether a smaller or a larger value of a metric is better."""

from __future__ import annotations

from fastrnn import losses, metrics
from fastrnn.metrics import Metric

_MORE_IS_BETTER = (
    metrics.AUC,
    metrics.Accuracy,
    metrics.BinaryAccuracy,
    metrics.CategoricalAccuracy,
    metrics.CosineSimilarity,
    metrics.FBetaScore,
    metrics.Precision,
    metrics.PrecisionAtRecall,
    metrics.R2Score,
    metrics.Recall,
    metrics.RecallAtPrecision,
    metrics.SensitivityAtSpecificity,
    metrics.SparseCategoricalAccuracy,
    metrics.SparseTopKCategoricalAccuracy,
    metrics.SpecificityAtSensitivity,
    metrics.TopKCategoricalAccuracy,
)
_LESS_IS_BETTER = (
    metrics.BinaryCrossentropy,
    metrics.CategoricalCrossentropy,
    metrics.CategoricalHinge,
    metrics.Hinge,
    metrics.KLDivergence,
    metrics.LogCoshError,
    metrics.MeanAbsoluteError,
    metrics.MeanAbsolutePercentageError,
    metrics.MeanSquaredError,
    metrics.MeanSquaredLogarithmicError,
    metrics.Poisson,
    metrics.RootMeanSquaredError,
    metrics.SparseCategoricalCrossentropy,
    metrics.SquaredHinge,
)
_LOSS_FUNCTIONS = [getattr(losses, name) for name in losses.__all__ if name.islower()]


def better_mode(metric: Metric) -> str | None:
    """Return `"min"` or `"max"`, or None if it is not known for this metric."""
    if isinstance(metric, _MORE_IS_BETTER):
        return "max"
    function = getattr(metric, "_fn", None)
    is_loss = isinstance(function, losses.Loss) or function in _LOSS_FUNCTIONS
    return "min" if is_loss or isinstance(metric, _LESS_IS_BETTER) else None
