"""Metrics of true and false positives and negatives count as Keras's do."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import metrics

KINDS = ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives")
EVEN = [0.0, 0.25, 0.5, 0.75, 1.0]
UNEVEN = [0.9, 0.2, 0.2, 0.55]
SHAPES = [((40,), (40,)), ((40,), (40, 1)), ((20, 3), (20, 3)), ((8, 5, 1), (8, 5, 1))]

CASES: list[tuple[str, dict[str, Any]]] = [
    *((kind, {"thresholds": value}) for kind in KINDS for value in (None, 0.3, EVEN, UNEVEN)),
    *(("Precision", {"thresholds": value}) for value in (None, 0.3, EVEN, UNEVEN)),
    *(("Recall", {"thresholds": value}) for value in (None, 0.3, EVEN, UNEVEN)),
    ("SensitivityAtSpecificity", {"specificity": 0.6}),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 7}),
    ("PrecisionAtRecall", {"recall": 0.3, "num_thresholds": 1}),
    ("PrecisionAtRecall", {"recall": 1.0, "num_thresholds": 2}),
    ("RecallAtPrecision", {"precision": 0.55}),
    ("AUC", {}),
    ("AUC", {"num_thresholds": 2}),
    ("AUC", {"num_thresholds": 20, "summation_method": "minoring"}),
    ("AUC", {"num_thresholds": 20, "summation_method": "majoring"}),
    *(
        ("AUC", {"curve": curve, "summation_method": method, "num_thresholds": 30})
        for curve in ("PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    ("AUC", {"thresholds": [0.8, 0.1, 0.35]}),
    ("AUC", {"thresholds": [0.5]}),
    ("AUC", {"thresholds": []}),
    ("AUC", {"curve": "pr", "from_logits": True}),
]
OF_COLUMNS: list[tuple[str, dict[str, Any]]] = [
    *((name, {"top_k": 2}) for name in ("Precision", "Recall")),
    *((name, {"class_id": 1}) for name in ("Precision", "Recall")),
    *((name, {"top_k": 1, "class_id": 2}) for name in ("Precision", "Recall")),
    *((name, {"top_k": 3, "thresholds": [0.2, 0.6]}) for name in ("Precision", "Recall")),
    ("RecallAtPrecision", {"precision": 0.4, "class_id": 0}),
    *(
        ("AUC", {"multi_label": True, "curve": curve, "summation_method": method, **labels})
        for curve, method in (("ROC", "interpolation"), ("PR", "interpolation"), ("PR", "majoring"))
        for labels in ({}, {"num_labels": 4}, {"label_weights": [0.5, 2.0, 0.0, 1.0]})
    ),
    ("AUC", {"multi_label": True, "thresholds": [0.3, 0.4]}),
    ("AUC", {"label_weights": [0.5, 2.0, 0.0, 1.0]}),
    ("AUC", {"label_weights": [0.5, 2.0, 0.0, 1.0], "thresholds": [0.3, 0.4]}),
]


def batch(rng: np.random.Generator, true_shape: Any, pred_shape: Any, logits: bool) -> Any:
    """Labels and predictions, of which some lie at thresholds, at the ends, or out of bounds."""
    y_true = rng.integers(0, 2, true_shape)
    y_pred = rng.random(pred_shape) * 0.7 + 0.3 * y_true.reshape(pred_shape) * rng.random()
    y_pred = y_pred.astype(np.float32)
    chosen = rng.random(pred_shape) < 0.3
    odd = [0.0, 1.0, 0.5, 0.2, 0.75, 1.2, -0.3, 1e-8, 100 / 199, 1.0 - 1e-7]
    y_pred[chosen] = rng.choice(odd, int(chosen.sum()))
    return y_true, 6.0 * y_pred - 3.0 if logits else y_pred


def assert_follows(
    ours: metrics.Metric, theirs: Any, batches: list[Any], weights: list[Any]
) -> None:
    for (y_true, y_pred), weight in zip(batches, weights, strict=True):
        ours.update_state(y_true, y_pred, weight)
        theirs.update_state(y_true, y_pred, weight)
        want = np.asarray(theirs.result())
        got = ours.result()
        assert np.shape(got) == want.shape
        assert isinstance(got, float) == (want.shape == ())
        np.testing.assert_allclose(got, want, rtol=3e-6, atol=1e-6)


def both(keras: ModuleType, name: str, config: dict[str, Any]) -> tuple[metrics.Metric, Any]:
    ours, theirs = getattr(metrics, name)(**config), getattr(keras.metrics, name)(**config)
    assert ours.name.startswith(theirs.name.rstrip("_0123456789"))
    return ours, theirs


@pytest.mark.parametrize(("name", "config"), CASES, ids=str)
def test_over_batches(
    name: str, config: dict[str, Any], keras: ModuleType, rng: np.random.Generator
) -> None:
    ours, theirs = both(keras, name, config)
    for shapes in SHAPES if name in ("AUC", "Recall") else SHAPES[1:3]:
        batches = [batch(rng, *shapes, "from_logits" in config) for _ in range(3)]
        assert_follows(ours, theirs, batches, [None, rng.random(shapes[0][:2]), 0.7])
        for metric in (ours, theirs):
            metric.reset_state()


@pytest.mark.parametrize(("name", "config"), OF_COLUMNS, ids=str)
def test_of_columns(
    name: str, config: dict[str, Any], keras: ModuleType, rng: np.random.Generator
) -> None:
    ours, theirs = both(keras, name, config)
    batches = [batch(rng, (30, 4), (30, 4), logits=False) for _ in range(2)]
    assert_follows(ours, theirs, batches, [None, rng.random(30)])


@pytest.mark.parametrize("method", ["interpolation", "minoring", "majoring"])
@pytest.mark.parametrize("curve", ["ROC", "PR", "PRGAIN"])
def test_area_of_a_good_classifier(
    curve: str, method: str, keras: ModuleType, rng: np.random.Generator
) -> None:
    """Gains above 0 up to the last thresholds, and counts below 1 from weights."""
    config = {"curve": curve, "summation_method": method, "num_thresholds": 10}
    for noise in (0.05, 0.6):
        ours, theirs = both(keras, "AUC", config)
        y_true = rng.integers(0, 2, 30)
        y_pred = ((1.0 - noise) * y_true + noise * rng.random(30)).astype(np.float32)
        assert_follows(ours, theirs, [(y_true, y_pred)], [0.02 * rng.random(30)])


def test_equal_predictions_at_top_k(keras: ModuleType) -> None:
    y_true, y_pred = [[0, 0, 1, 1], [1, 0, 0, 1]], [[0.5, 0.5, 0.5, 0.1], [0.2, 0.2, 0.2, 0.2]]
    for k in (1, 2, 3):
        ours, theirs = both(keras, "Precision", {"top_k": k})
        assert_follows(ours, theirs, [(np.array(y_true), np.array(y_pred))], [None])


def test_predictions_that_are_nan_are_negative() -> None:
    for thresholds in (0.5, EVEN):
        metric = metrics.TruePositives(thresholds)
        metric.update_state([1, 1], [np.nan, 0.9])
        assert np.max(metric.result()) == 1.0


@pytest.mark.parametrize("name", ["Precision", "Recall", "AUC", "TruePositives"])
def test_nothing_seen_is_zero(name: str) -> None:
    metric = metrics.get(name)
    assert metric.result() == 0.0
    metric.update_state(np.ones(3), np.ones(3))
    assert metric.result() != 0.0 or name == "AUC"
    metric.reset_state()
    assert metric.result() == 0.0


def test_reset_forgets_all_labels() -> None:
    metric = metrics.AUC(multi_label=True)
    metric.update_state(np.eye(3), np.eye(3))
    assert metric.result() == 1.0
    metric.reset_state()
    assert metric.result() == 0.0


def test_the_cost_does_not_grow_with_the_thresholds() -> None:
    """No array of [thresholds, predictions]: that would be 8 GB here."""
    metric = metrics.AUC(num_thresholds=100_000)
    metric.update_state(np.arange(20_000) % 2, np.linspace(0.0, 1.0, 20_000))
    assert metric.result() == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("Precision", {"thresholds": 1.5}, r"`thresholds` must be .*\[0, 1\].*thresholds=1.5"),
        ("Recall", {"thresholds": [0.5, None]}, "`thresholds`"),
        ("TruePositives", {"thresholds": []}, "`thresholds`"),
        ("Precision", {"top_k": 0}, "`top_k` must be a positive integer"),
        ("Precision", {"class_id": -1}, "`class_id`"),
        ("AUC", {"num_thresholds": 1}, "`num_thresholds` must be an integer >= 2"),
        ("AUC", {"curve": "ROK"}, r"`curve` must be one of .*Received: curve='ROK'"),
        ("AUC", {"summation_method": "left"}, "`summation_method` must be one of"),
        ("AUC", {"num_labels": 3}, "`num_labels` needs `multi_label=True`"),
        ("AUC", {"label_weights": [-1.0]}, "`label_weights`"),
        ("AUC", {"thresholds": [0.5, 1.1]}, "`thresholds`"),
        ("AUC", {"dtype": "float16"}, "`dtype`"),
        ("PrecisionAtRecall", {"recall": 1.5}, r"`recall` must be in \[0, 1\].*recall=1.5"),
        ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 0}, "`num_thresholds`"),
    ],
)
def test_refused_arguments(name: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(metrics, name)(**config)


@pytest.mark.parametrize(
    ("name", "config", "y_true", "y_pred", "weight", "message"),
    [
        ("AUC", {}, (1, 2), (1, 3), None, "`y_true` and `y_pred` must have the same shape"),
        ("Precision", {}, (1,), (1, 3), None, "same shape"),
        ("Precision", {"top_k": 4}, (1, 3), (1, 3), None, "`top_k` must not exceed"),
        ("Precision", {"class_id": 3}, (1, 3), (1, 3), None, "`class_id` must be less than"),
        ("Recall", {"class_id": 0}, (3,), (3,), None, "`class_id` must be less than"),
        ("AUC", {"multi_label": True}, (3,), (3,), None, r"\[batch, labels\]"),
        ("AUC", {"multi_label": True, "num_labels": 2}, (1, 3), (1, 3), None, r"\[batch, 2\]"),
        ("AUC", {"label_weights": [1, 2]}, (1, 3), (1, 3), None, "`label_weights`"),
        ("AUC", {"label_weights": [1], "multi_label": True}, (1, 3), (1, 3), None, "`label_weig"),
        ("Recall", {}, (3, 2), (3, 2), (2,), "`sample_weight` must be a scalar or fit"),
        ("Recall", {}, (), (), None, "dimension of samples"),
    ],
)
def test_data_that_does_not_fit(
    name: str, config: dict[str, Any], y_true: Any, y_pred: Any, weight: Any, message: str
) -> None:
    metric = getattr(metrics, name)(**config)
    given = None if weight is None else np.ones(weight)
    with pytest.raises(ValueError, match=message):
        metric.update_state(np.zeros(y_true), np.ones(y_pred), given)
    assert not np.any(metric._matrix.false_positives)
