"""Metrics, by string, object, function or config as in Keras."""

from __future__ import annotations

from typing import Any

from fastrnn.losses import KLD as KLD
from fastrnn.losses import MAE as MAE
from fastrnn.losses import MAPE as MAPE
from fastrnn.losses import MSE as MSE
from fastrnn.losses import MSLE as MSLE
from fastrnn.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from fastrnn.losses import kld as kld
from fastrnn.losses import mae as mae
from fastrnn.losses import mape as mape
from fastrnn.losses import mse as mse
from fastrnn.losses import msle as msle
from fastrnn.losses.loss import Shape
from fastrnn.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from fastrnn.metrics.auc import AUC
from fastrnn.metrics.confusion_counts import (
    FalseNegatives,
    FalsePositives,
    TrueNegatives,
    TruePositives,
)
from fastrnn.metrics.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from fastrnn.metrics.divergence import KLDivergence, Poisson
from fastrnn.metrics.f_score import F1Score, FBetaScore
from fastrnn.metrics.hinges import CategoricalHinge, Hinge, SquaredHinge
from fastrnn.metrics.mean import Mean, MeanMetricWrapper, Sum
from fastrnn.metrics.metric import Metric
from fastrnn.metrics.operating_point import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from fastrnn.metrics.precision_recall import Precision, Recall
from fastrnn.metrics.r2_score import R2Score
from fastrnn.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
)
from fastrnn.metrics.top_k_accuracy import (
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from fastrnn.utils import registry

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "accuracy",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

_CLASSES: tuple[type[Metric], ...] = tuple(
    globals()[name] for name in __all__ if name[0].isupper() and name != "Metric"
)
_REGISTRY: registry.Registry[Metric] = registry.Registry(
    "metric",
    Metric,
    {
        **registry.in_both_cases(_CLASSES),
        **{
            alias: cls
            for name, cls in (
                ("bce", BinaryCrossentropy),
                ("mae", MeanAbsoluteError),
                ("mape", MeanAbsolutePercentageError),
                ("mse", MeanSquaredError),
                ("msle", MeanSquaredLogarithmicError),
            )
            for alias in (name, name.upper())
        },
    },
    namespace="metrics",
)

# What the names that depend on the data become: for one output, for class ids, for one-hot labels.
_BY_DATA: dict[str, tuple[type[Metric], type[Metric], type[Metric]]] = {
    **dict.fromkeys(
        ("accuracy", "acc"), (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)
    ),
    **dict.fromkeys(
        ("crossentropy", "ce"),
        (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy),
    ),
}


def get(identifier: Any) -> Metric:
    """Make a metric.

    Args:
        identifier: A name (`"mse"`, `"binary_accuracy"`, `"BinaryAccuracy"`), a `Metric` or its
            class, a config dict, or any function of labels and predictions, whose mean it becomes.

    Returns:
        The metric.

    Raises:
        ValueError: If `identifier` is not one of these, or the name is not known.

    Example:
        >>> get("mse").name
        'mean_squared_error'
    """
    twin = registry.config_of_keras(identifier)
    if twin is not identifier and (isinstance(twin, dict) or _REGISTRY.knows(twin)):
        return _REGISTRY.get(twin)
    if callable(identifier) and not isinstance(identifier, (type, Metric)):
        return MeanMetricWrapper(identifier)
    function = registry.function_of(identifier)
    if function is not None:
        return MeanMetricWrapper(function)
    return _REGISTRY.get(identifier)


def resolve(identifier: Any, y_true_shape: Shape, y_pred_shape: Shape) -> Metric:
    """Make a metric of `compile`, whose meaning and name may depend on the data.

    `"accuracy"` and `"acc"` become the binary accuracy if there is one output, the sparse
    categorical one if labels are class ids, else the categorical one; `"crossentropy"` and `"ce"`
    become the crossentropy of that kind, as in tf.keras (Keras 3 has dropped it for metrics). A
    metric given by a string bears that very string as its name, so that it is its key in
    `History`.

    Args:
        identifier: See `get`.
        y_true_shape: Shape of the labels.
        y_pred_shape: Shape of the predictions; None stands for any size.

    Returns:
        The metric.

    Raises:
        ValueError: As `get`.

    Example:
        >>> resolve("acc", (64,), (None, 1))
        <BinaryAccuracy name=acc>
    """
    if not isinstance(identifier, str):
        return get(identifier)
    if identifier.lower() in _BY_DATA:
        binary, sparse, categorical = _BY_DATA[identifier.lower()]
        if y_pred_shape[-1] == 1:
            metric = binary()
        elif len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
            metric = sparse()
        else:
            metric = categorical()
    else:
        metric = get(identifier)
    metric.name = identifier
    return metric


def serialize(metric: Metric) -> dict[str, Any]:
    """Return the config dict of a metric, in Keras's form.

    Args:
        metric: The metric.

    Returns:
        Dict of plain values with `class_name` and `config`, from which `deserialize` makes an equal
        metric.

    Example:
        >>> serialize(AUC(name="area"))["config"]["name"]
        'area'
    """
    return registry.serialize(metric, "keras.metrics")


def deserialize(config: dict[str, Any]) -> Metric:
    """Make a metric from the result of `serialize` (Keras's works too).

    Args:
        config: What `serialize` or Keras's returned.

    Returns:
        The metric.

    Raises:
        ValueError: If it is not such a dict, or names nothing known.

    Example:
        >>> deserialize(serialize(AUC(name="area"))).name
        'area'
    """
    return get(config)
