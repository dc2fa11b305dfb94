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

ELEMENTWISE = [((6,), (6, 1)), ((6, 3), (6, 3)), ((3, 5, 2), (3, 5, 2))]
ONE_HOT = [((6, 4), (6, 4)), ((3, 5, 4), (3, 5, 4))]
SPARSE = [((6,), (6, 4)), ((6, 1), (6, 4)), ((3, 5), (3, 5, 4))]
CASES: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("BinaryAccuracy", {}, [*ELEMENTWISE, ((4, 5), (4, 5, 1))]),
    ("BinaryAccuracy", {"threshold": 0.2}, ELEMENTWISE),
    ("Accuracy", {}, [((6,), (6,)), ((6, 1), (6, 1)), ((6, 3), (6, 3))]),
    ("CategoricalAccuracy", {}, ONE_HOT),
    ("SparseCategoricalAccuracy", {}, SPARSE),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, SPARSE),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, SPARSE[:1]),
    *(
        (name, {}, ELEMENTWISE)
        for name in (
            "CosineSimilarity",
            "Hinge",
            "LogCoshError",
            "MeanAbsoluteError",
            "MeanAbsolutePercentageError",
            "MeanSquaredError",
            "MeanSquaredLogarithmicError",
            "Poisson",
            "RootMeanSquaredError",
            "SquaredHinge",
        )
    ),
    ("CategoricalHinge", {}, ONE_HOT),
    ("KLDivergence", {}, ONE_HOT),
    ("BinaryCrossentropy", {}, ELEMENTWISE),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, ELEMENTWISE),
    ("CategoricalCrossentropy", {}, ONE_HOT),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT),
    ("SparseCategoricalCrossentropy", {}, SPARSE),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, SPARSE[:2]),
    *(
        ("FBetaScore", {"average": average, "beta": 2.0, "threshold": threshold}, ONE_HOT[:1])
        for average in (None, "micro", "macro", "weighted")
        for threshold in (None, 0.4)
    ),
    ("F1Score", {}, [((6, 1), (6, 1)), ((6, 4), (6, 4))]),
    *(
        ("R2Score", {"class_aggregation": average, "num_regressors": number}, ELEMENTWISE[:2])
        for average in (None, "uniform_average", "variance_weighted_average")
        for number in (0, 2)
    ),
]


def data(rng: np.random.Generator, name: str, shapes: Any) -> tuple[np.ndarray, np.ndarray]:
    true_shape, pred_shape = shapes
    if name == "Accuracy":
        return rng.integers(0, 2, true_shape), rng.integers(0, 2, pred_shape)
    y_pred = rng.random(pred_shape).astype(np.float32).round(1)
    if name.startswith("Sparse"):
        return rng.integers(0, 4, true_shape), y_pred
    if true_shape[-1] == 4:
        return np.eye(4)[rng.integers(0, 4, true_shape[:-1])], y_pred
    if name.startswith(("Bin", "F", "Hinge", "Squared")):
        return rng.integers(0, 2, true_shape), y_pred
    return rng.random(true_shape) + 0.5, y_pred


@pytest.mark.parametrize(("name", "config", "all_shapes"), CASES, ids=str)
def test_three_batches(
    name: str, config: dict[str, Any], all_shapes: Any, keras: ModuleType, rng: np.random.Generator
) -> None:
    for shapes in all_shapes:
        ours, theirs = getattr(metrics, name)(**config), getattr(keras.metrics, name)(**config)
        assert ours.name == theirs.name
        for weighted in (False, True):
            for batch in range(3):
                y_true, y_pred = data(rng, name, shapes)
                if config.get("from_sorted_ids"):
                    y_pred = np.argsort(-y_pred, axis=-1)
                weight = rng.random(shapes[0][0]) if weighted else None
                ours.update_state(y_true, y_pred, weight)
                if y_true.size == y_pred.size:
                    # Some of Keras's refuse [batch] and [batch, 1], some pair each with each.
                    y_true = y_true.reshape(y_pred.shape)
                theirs.update_state(y_true, y_pred, weight)
                if batch:
                    want = np.asarray(theirs.result())
                    assert np.shape(ours.result()) == want.shape
                    # Keras adds up in float32, which the differences of R2Score feel.
                    rtol = 1e-4 if name == "R2Score" else 5e-6
                    np.testing.assert_allclose(ours.result(), want, rtol=rtol, atol=1e-6)
            ours.reset_state()
            theirs.reset_state()


OF_STEPS = [
    (name, config)
    for name, config, _ in CASES
    if not name.startswith(("F", "R2", "Accuracy")) and "from_sorted_ids" not in config
]


@pytest.mark.parametrize(("name", "config"), OF_STEPS, ids=str)
def test_weights_of_steps(
    name: str, config: dict[str, Any], keras: ModuleType, rng: np.random.Generator
) -> None:
    """A weight for each time step, as `fit` hands on sample weights and masks."""
    one_hot = name.startswith(("Categorical", "TopK", "KL"))
    ours, theirs = getattr(metrics, name)(**config), getattr(keras.metrics, name)(**config)
    shapes = ((3, 5), (3, 5, 4)) if name.startswith("Sparse") else ((3, 5, 4), (3, 5, 4))
    if not one_hot and shapes[0] == shapes[1]:
        shapes = ((3, 5, 2), (3, 5, 2))
    for _ in range(2):
        y_true, y_pred = data(rng, name, shapes)
        weight = rng.random((3, 5)) * (rng.random((3, 5)) < 0.7)
        ours.update_state(y_true, y_pred, weight)
        theirs.update_state(y_true, y_pred, weight)
    np.testing.assert_allclose(ours.result(), float(theirs.result()), rtol=5e-6, atol=1e-6)


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
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_mean_and_sum(values: Any, weight: Any, name: str, keras: ModuleType) -> None:
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for scale in (1.0, 3.0):
        ours.update_state(np.multiply(values, scale), weight)
        theirs.update_state(np.multiply(values, scale), weight)
    assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-6)
    ours.reset_state()
    assert ours.result() == 0.0


def test_nothing_seen_is_zero() -> None:
    mean = metrics.Mean()
    assert mean.result() == 0.0
    mean.update_state(np.zeros((0, 3)))
    assert mean.result() == 0.0


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


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred"),
    [
        ("binary_accuracy", (3, 2), (3, 1)),
        ("mse", (3, 2), (3, 1)),
        ("categorical_accuracy", (3,), (3, 4)),
        ("sparse_categorical_accuracy", (3, 2), (3, 4)),
        ("accuracy", (2,), (3,)),
        ("top_k_categorical_accuracy", (3,), (3, 4)),
        ("sparse_top_k_categorical_accuracy", (3, 2), (3, 4)),
        ("sparse_top_k_categorical_accuracy", (2,), (3, 4)),
        ("root_mean_squared_error", (3, 2), (3, 1)),
        ("cosine_similarity", (3, 2), (3, 4)),
        ("kl_divergence", (3, 2), (3, 4)),
        ("f1_score", (3, 2), (3, 1)),
        ("r2_score", (3, 2), (3, 4)),
    ],
)
def test_shapes_that_do_not_fit(name: str, y_true: Any, y_pred: Any) -> None:
    metric = metrics.get(name)
    with pytest.raises(ValueError, match=r"same shape.*Received"):
        metric.update_state(np.zeros(y_true), np.zeros(y_pred))
    assert np.all(metric.result() == 0.0) or name == "r2_score"


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("F1Score", {"average": "mean"}, r"`average` must be one of .*Received: average='mean'"),
        ("F1Score", {"threshold": 1}, "`threshold` must be None or a float"),
        ("FBetaScore", {"beta": 0.0}, "`beta` must be a float > 0"),
        ("FBetaScore", {"beta": 1}, "`beta` must be a float > 0"),
        ("R2Score", {"class_aggregation": "mean"}, "`class_aggregation` must be one of"),
        ("R2Score", {"num_regressors": -1}, "`num_regressors` must be >= 0"),
        ("TopKCategoricalAccuracy", {"k": 0}, "`k` must be a positive integer"),
        ("SparseTopKCategoricalAccuracy", {"k": 2.5}, "`k` must be a positive integer"),
    ],
)
def test_refused_arguments(name: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(metrics, name)(**config)


@pytest.mark.parametrize("name", ["F1Score", "R2Score"])
def test_outputs_that_change_or_have_steps(name: str) -> None:
    metric = getattr(metrics, name)()
    with pytest.raises(ValueError, match=r"`y_pred` must have shape \[batch, "):
        metric.update_state(np.ones((3, 2, 2)), np.ones((3, 2, 2)))
    metric.update_state(np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match=r"`y_pred` must have .*3"):
        metric.update_state(np.eye(2), np.eye(2))
    with pytest.raises(ValueError, match="`sample_weight` must be"):
        metric.update_state(np.eye(3), np.eye(3), [1.0, 2.0])
    np.testing.assert_allclose(metric.result(), 1.0, rtol=1e-6)


def test_r2_score_at_its_limits(keras: ModuleType) -> None:
    """Constant labels are no variance to explain; too few labels cannot be adjusted."""
    for y_true in ([[2.0], [2.0]], [[1.0], [2.0]]):
        theirs = keras.metrics.R2Score()
        theirs.update_state(np.array(y_true), np.array([[1.0], [2.0]]))
        ours = metrics.R2Score()(y_true, [[1.0], [2.0]])
        assert ours == float(theirs.result())
    with pytest.warns(UserWarning, match="num_regressors=2"):
        assert metrics.R2Score(num_regressors=2)([[1.0], [2.0]], [[1.0], [2.0]]) == 1.0


def test_top_k_of_classes_that_are_none(keras: ModuleType) -> None:
    rows = [[0.1, 0.9, 0.9], [0.1, np.inf, 0.3], [0.5, 0.4, 0.1], [0.2, 0.2, 0.2]]
    y_pred = np.array(rows, dtype=np.float32)
    for ids in ([1, 0, -1, 0], [2, 2, 3, 2], [0, 1, 0, 1]):
        for k in (1, 2):
            ours = metrics.sparse_top_k_categorical_accuracy(ids, y_pred, k)
            theirs = keras.metrics.sparse_top_k_categorical_accuracy(np.array(ids), y_pred, k)
            np.testing.assert_array_equal(ours, theirs)


def test_a_diverged_model_gives_no_warnings() -> None:
    """Warnings are errors in these tests."""
    y_pred = np.array([[np.inf, -np.inf, 1e30], [np.nan, 1.0, -1e38]], np.float32)
    for name in metrics.__all__:
        cls = getattr(metrics, name)
        if name[0].islower() or name in ("Metric", "MeanMetricWrapper", "Mean", "Sum"):
            continue
        metric = cls(0.5) if "At" in name else cls()
        y_true = [0, 2] if name.startswith("Sparse") else [[1, 0, 0], [0, 1, 0]]
        for weight in (None, [0.5, 2.0]):
            metric.update_state(y_true, y_pred, weight)
        metric.result()


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"`sample_weight`.*Received"):
        metrics.Mean().update_state([1.0, 2.0, 3.0], [1.0, 2.0])
