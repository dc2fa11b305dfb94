"""Metrics gather the numbers of Keras's, under its names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import metrics

SHAPES = {
    "BinaryAccuracy": [((6,), (6, 1)), ((6, 1), (6, 1)), ((6, 3), (6, 3)), ((4, 5), (4, 5, 1))],
    "Accuracy": [((6,), (6,)), ((6, 1), (6, 1)), ((6, 3), (6, 3))],
    "CategoricalAccuracy": [((6, 4), (6, 4)), ((3, 5, 4), (3, 5, 4))],
    "SparseCategoricalAccuracy": [((6,), (6, 4)), ((6, 1), (6, 4)), ((3, 5), (3, 5, 4))],
    "MeanSquaredError": [((6,), (6, 1)), ((6, 3), (6, 3)), ((3, 5, 2), (3, 5, 2))],
    "MeanAbsoluteError": [((6,), (6, 1)), ((6, 3), (6, 3)), ((3, 5, 2), (3, 5, 2))],
}


def data(rng: np.random.Generator, name: str, shapes: Any) -> tuple[np.ndarray, np.ndarray]:
    y_true = rng.integers(0, 4 if name.startswith("Sparse") else 2, shapes[0])
    if name == "Accuracy":
        return y_true, rng.integers(0, 2, shapes[1])
    return y_true, rng.random(shapes[1]).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "shapes"), [(name, shapes) for name, all_ in SHAPES.items() for shapes in all_]
)
def test_three_batches(name: str, shapes: Any, keras: ModuleType, rng: np.random.Generator) -> None:
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    assert ours.name == theirs.name
    for weighted in (False, True):
        ours.reset_state()
        theirs.reset_state()
        for _ in range(3):
            y_true, y_pred = data(rng, name, shapes)
            weight = rng.random(shapes[0][0]) if weighted else None
            ours.update_state(y_true, y_pred, weight)
            theirs.update_state(y_true, y_pred, weight)
        assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-6)


@pytest.mark.parametrize(
    ("values", "weight"),
    [
        (0.5, None),
        (0.5, 3),
        ([1.0, 2.0, 4.0], None),
        ([1.0, 2.0, 4.0], [1.0, 0.0, 2.0]),
        ([1.0, 2.0, 4.0], [[1.0], [0.0], [2.0]]),
        ([1.0, 2.0, 4.0], 2.0),
        ([[1.0, 3.0], [5.0, 6.0]], None),
        ([[1.0, 3.0], [5.0, 6.0]], [2.0, 1.0]),
        ([[1.0, 3.0], [5.0, 6.0]], [[1.0, 0.0], [1.0, 3.0]]),
        ([[1.0], [5.0]], [2.0, 1.0]),
    ],
)
def test_mean(values: Any, weight: Any, keras: ModuleType) -> None:
    ours, theirs = metrics.Mean(), keras.metrics.Mean()
    for scale in (1.0, 3.0):
        ours.update_state(np.multiply(values, scale), weight)
        theirs.update_state(np.multiply(values, scale), weight)
    assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-6)


def test_nothing_seen_is_zero() -> None:
    mean = metrics.Mean()
    assert mean.result() == 0.0
    mean.update_state(np.zeros((0, 3)))
    assert mean.result() == 0.0


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


def published() -> list[Any]:
    folder = os.environ.get("FASTRNN_CASES")
    if not folder:
        return [pytest.param(None, marks=pytest.mark.skip(reason="$FASTRNN_CASES is not set"))]
    cases = json.loads(Path(folder, "extra_cases.json").read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if "accuracy" in case["kind"]]


@pytest.mark.parametrize("case", published())
def test_published_numbers(case: dict[str, Any]) -> None:
    got = metrics.get(case["kind"])(case["y_true"], case["y_pred"], case["sample_weight"])
    np.testing.assert_allclose(got, case["expected"], atol=case["atol"], rtol=case["rtol"])


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


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred"),
    [
        ("binary_accuracy", (3, 2), (3, 1)),
        ("mse", (3, 2), (3, 1)),
        ("categorical_accuracy", (3,), (3, 4)),
        ("sparse_categorical_accuracy", (3, 2), (3, 4)),
        ("accuracy", (2,), (3,)),
    ],
)
def test_shapes_that_do_not_fit(name: str, y_true: Any, y_pred: Any) -> None:
    metric = metrics.get(name)
    with pytest.raises(ValueError, match=r"same shape.*Received"):
        metric.update_state(np.zeros(y_true), np.zeros(y_pred))
    assert metric.result() == 0.0


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"`sample_weight`.*Received"):
        metrics.Mean().update_state([1.0, 2.0, 3.0], [1.0, 2.0])
