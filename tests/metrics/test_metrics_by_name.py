"""Names, arguments and configs of metrics are Keras's."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import losses, metrics


@pytest.mark.parametrize(
    ("identifier", "y_true", "y_pred"),
    [
        (identifier, y_true, y_pred)
        for identifier in ("accuracy", "acc", "Accuracy", "mse", "MAE", "mean_squared_error")
        for y_true, y_pred in [((6,), (6, 1)), ((6, 4), (6, 4)), ((6, 1), (6, 1))]
    ]
    + [
        (identifier, y_true, y_pred)
        for identifier in ("accuracy", "ACC", "sparse_categorical_accuracy")
        for y_true, y_pred in [((6,), (6, 4)), ((6, 1), (6, 4)), ((3, 5), (3, 5, 4))]
    ],
)
def test_resolve_as_keras_does(
    identifier: str, y_true: Any, y_pred: Any, keras: ModuleType
) -> None:
    from keras.src.trainers.compile_utils import get_metric

    want = get_metric(identifier, np.zeros(y_true), np.zeros(y_pred))
    got = metrics.resolve(identifier, y_true, (None, *y_pred[1:]))
    assert type(got).__name__ == type(want).__name__
    assert got.name == want.name == identifier


def test_history_keys_are_keras_s(keras: ModuleType) -> None:
    identifiers = ["acc", "mse", "mean_absolute_error", "BinaryAccuracy"]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    theirs = [*identifiers, keras.metrics.BinaryAccuracy(), keras.metrics.binary_accuracy]
    model.compile(loss="mse", metrics=theirs)
    history = model.fit(np.zeros((2, 1)), np.zeros((2, 1)), verbose=0).history
    ours = [*identifiers, metrics.BinaryAccuracy(), metrics.binary_accuracy]
    names = [metrics.resolve(identifier, (2, 1), (None, 1)).name for identifier in ours]
    unique = set(names)
    assert {key for key in history if key != "loss"} - unique == {"binary_accuracy_1"}
    assert unique <= set(history)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        ((6,), (6, 1), metrics.BinaryCrossentropy),
        ((6,), (6, 4), metrics.SparseCategoricalCrossentropy),
        ((6, 4), (6, 4), metrics.CategoricalCrossentropy),
    ],
)
@pytest.mark.parametrize("identifier", ["crossentropy", "ce"])
def test_resolve_crossentropy(identifier: str, y_true: Any, y_pred: Any, kind: type) -> None:
    metric = metrics.resolve(identifier, y_true, (None, *y_pred[1:]))
    assert type(metric) is kind
    assert metric.name == identifier


def test_every_name_of_keras_s_means_the_same(keras: ModuleType) -> None:
    from keras.src.metrics import ALL_OBJECTS_DICT

    absent = {"IoU", "BinaryIoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"}
    absent |= {"PearsonCorrelation", "ConcordanceCorrelation", "Metric"}
    at = {"PrecisionAtRecall", "RecallAtPrecision"}
    at |= {"SensitivityAtSpecificity", "SpecificityAtSensitivity", "MeanMetricWrapper"}
    for name, cls in ALL_OBJECTS_DICT.items():
        if cls.__name__ in at:
            with pytest.raises(TypeError, match="missing 1 required"):
                metrics.get(name)
        elif cls.__name__ not in absent:
            assert type(metrics.get(name)).__name__ == cls.__name__
    functions = {name for name in dir(keras.metrics) if name[0].islower()}
    functions = {name for name in functions if callable(getattr(keras.metrics, name))}
    absent = {"binary_focal_crossentropy", "categorical_focal_crossentropy"}
    absent |= {"pearson_correlation", "concordance_correlation"}
    assert functions - absent <= set(dir(metrics))


def test_arguments_and_configs_are_keras_s(keras: ModuleType) -> None:
    """The names of `AUC`'s class in `keras.metrics.serialize` are read back here."""
    filled = {
        "PrecisionAtRecall": {"recall": 0.5},
        "RecallAtPrecision": {"precision": 0.5},
        "SensitivityAtSpecificity": {"specificity": 0.5},
        "SpecificityAtSensitivity": {"sensitivity": 0.5},
        "AUC": {"thresholds": [0.3, 0.7]},
        "SparseTopKCategoricalAccuracy": {"from_sorted_ids": True},
    }
    for name in metrics.__all__:
        if name[0].islower() or name in ("Metric", "MeanMetricWrapper"):
            continue
        own, their = getattr(metrics, name), getattr(keras.metrics, name)
        ours, theirs = (
            {key: each.default for key, each in inspect.signature(cls).parameters.items()}
            for cls in (own, their)
        )
        assert list(ours.items()) == list(theirs.items()), name
        config = filled.get(name, {})
        for metric in (own(**config), metrics.get(keras.metrics.serialize(their(**config)))):
            given = metric.get_config()
            missing = their(**config).get_config()
            assert {**given, **missing, "name": given["name"]} == given, name
            again = metrics.get(metrics.serialize(metric))
            assert type(again) is own
            assert again.get_config() == given


def test_wrappers_of_functions_and_losses(keras: ModuleType) -> None:
    def error(y_true: Any, y_pred: Any, power: int = 1) -> Any:
        return abs(y_true - y_pred) ** power

    metric = metrics.MeanMetricWrapper(error, power=2)
    assert metric.name == "error"
    assert metric(np.zeros((2, 1)), np.array([[1.0], [3.0]])) == 5.0
    again = metrics.MeanMetricWrapper.from_config(metric.get_config())
    assert again(np.zeros((2, 1)), np.array([[1.0], [3.0]])) == 5.0
    loss, y_true, y_pred = losses.Huber(), np.zeros((2, 1)), np.array([[0.5], [3.0]])
    theirs = keras.metrics.MeanMetricWrapper(keras.losses.Huber(), name="huber_loss")
    ours = metrics.get(loss)
    assert ours.name == loss.name
    assert ours(y_true, y_pred) == pytest.approx(float(theirs(y_true, y_pred)), rel=1e-6)


@pytest.mark.parametrize("identifier", ["acurracy", "acc", None, 3, {}])
def test_get_refuses(identifier: Any) -> None:
    """`acc` has a meaning only beside shapes, in `resolve`, as in Keras."""
    with pytest.raises(ValueError, match="Could not interpret metric identifier"):
        metrics.get(identifier)


def test_get() -> None:
    metric = metrics.BinaryAccuracy(threshold=0.3)
    assert metrics.get(metric) is metric
    assert type(metrics.get(metrics.Accuracy)) is metrics.Accuracy
    again = metrics.get(metrics.serialize(metric))
    assert again.get_config() == metric.get_config()
    assert metrics.get(metrics.mean_squared_error).name == "mean_squared_error"


def test_metrics_by_name_use_up_as_many_names_as_in_keras() -> None:
    """One per compile that is trained; not one for each look at the names."""

    def next_number() -> int:
        return int(f"{metrics.AUC().name}_0".split("_")[1])

    x = np.random.default_rng(3).normal(size=(6, 2)).astype(np.float32)
    y = (x[:, :1] > 0).astype(np.float32)
    model = fastrnn.Sequential([fastrnn.layers.Input((2,)), fastrnn.layers.Dense(1)])
    next_number()
    start = next_number()
    model.compile("sgd", "mse", metrics=["AUC", "accuracy"], weighted_metrics=["AUC"])
    assert model.metrics_names
    assert model.metrics
    model.get_metrics_result()
    assert next_number() == start + 1
    model.fit(x, y, validation_data=(x, y), verbose=0)
    model.evaluate(x, y, verbose=0)
    assert model.metrics_names
    assert next_number() == start + 4  # one each for `metrics` and `weighted_metrics`
