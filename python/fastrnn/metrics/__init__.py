"""Metrics, by string, object, function or config as in Keras."""

from __future__ import annotations

from typing import Any

from fastrnn.losses.loss import Shape
from fastrnn.losses.mean_absolute_error import mean_absolute_error
from fastrnn.losses.mean_squared_error import mean_squared_error
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
from fastrnn.metrics.mean import Mean, MeanMetricWrapper
from fastrnn.metrics.metric import Metric
from fastrnn.metrics.regression import MeanAbsoluteError, MeanSquaredError
from fastrnn.naming import to_snake_case
from fastrnn.utils import registry

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "mean_absolute_error",
    "mean_squared_error",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
]

_CLASSES: tuple[type[Metric], ...] = (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    Mean,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalAccuracy,
)
_REGISTRY: registry.Registry[Metric] = registry.Registry(
    "metric",
    Metric,
    {
        **{cls.__name__: cls for cls in _CLASSES},
        **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
        "mae": MeanAbsoluteError,
        "MAE": MeanAbsoluteError,
        "mse": MeanSquaredError,
        "MSE": MeanSquaredError,
    },
)


def get(identifier: Any) -> Metric:
    """Make a metric.

    Args:
        identifier: A name (`"mse"`, `"binary_accuracy"`, `"BinaryAccuracy"`), a `Metric` or its
            class, a config dict, or any function of labels and predictions, whose mean it becomes.

    Returns:
        The metric.

    Raises:
        ValueError: If `identifier` is none of these, or the name is not known.

    Example:
        >>> get("mse").name
        'mean_squared_error'
    """
    if callable(identifier) and not isinstance(identifier, (type, Metric)):
        return MeanMetricWrapper(identifier)
    return _REGISTRY.get(identifier)


def resolve(identifier: Any, y_true_shape: Shape, y_pred_shape: Shape) -> Metric:
    """Make a metric of `compile`, whose meaning and name may depend on the data.

    `"accuracy"` and `"acc"` become the binary accuracy if there is one output, the sparse
    categorical one if labels are class ids, else the categorical one. A metric given by a string
    bears that very string as its name, so that it is its key in `History`.

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
    if identifier.lower() not in ("accuracy", "acc"):
        metric = get(identifier)
        metric.name = identifier
        return metric
    if y_pred_shape[-1] == 1:
        return BinaryAccuracy(name=identifier)
    if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
        return SparseCategoricalAccuracy(name=identifier)
    return CategoricalAccuracy(name=identifier)


def serialize(metric: Metric) -> dict[str, Any]:
    """Return the config dict of a metric, in Keras's form."""
    return registry.serialize(metric, "keras.metrics")


def deserialize(config: dict[str, Any]) -> Metric:
    """Make a metric from the result of `serialize`."""
    return get(config)
