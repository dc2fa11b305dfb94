"""Metrics: the result after each of several updates, some with weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden.answers import Arrays
from golden.draws import draw
from golden.objects import fastrnn_object, keras_object, metric

# Keras adds up in float32, which the differences of R2Score feel.
LIMITS = {"": 6e-6, "r2": 1e-4}
UPDATES = 3


def row(
    name: str,
    labels: str,
    predictions: str,
    shape: tuple[int, ...] = (6, 4),
    *,
    true_shape: tuple[int, ...] | None = None,
    weights: tuple[int, ...] | None = (),
    **config: Any,
) -> dict[str, Any]:
    """A metric, what its labels and predictions are, the shape of the weights of all but the
    first update: one for each sample by default."""
    if true_shape is None:
        true_shape = shape[:-1] if labels.startswith("ids") else shape
    if weights == ():
        weights = shape[:1]
    return {
        "metric": metric(name, **config),
        "labels": labels,
        "predictions": predictions,
        "shape": list(shape),
        "true_shape": list(true_shape),
        "weights": None if weights is None else list(weights),
    }


STEPS = (3, 5, 4)
_SPARSE = "SparseCategoricalCrossentropy"

CASES = {
    "mean": row("Mean", "", "normal", (6,)),
    "mean of steps": row("Mean", "", "normal", STEPS, weights=(3, 5)),
    "sum": row("Sum", "", "normal", (6, 4)),
    "accuracy": row("Accuracy", "ids 2", "ids 2", (6, 3), true_shape=(6, 3)),
    "binary accuracy": row("BinaryAccuracy", "binary", "unit", (6, 1)),
    "binary accuracy of steps": row(
        "BinaryAccuracy", "binary", "unit", (3, 5, 1), true_shape=(3, 5), weights=(3, 5)
    ),
    "binary accuracy threshold": row("BinaryAccuracy", "binary", "unit", threshold=0.2),
    "categorical accuracy": row("CategoricalAccuracy", "one_hot", "unit"),
    "categorical accuracy of steps": row(
        "CategoricalAccuracy", "one_hot", "unit", STEPS, weights=(3, 5)
    ),
    "sparse accuracy": row("SparseCategoricalAccuracy", "ids 4", "unit"),
    "sparse accuracy of steps": row(
        "SparseCategoricalAccuracy", "ids 4", "unit", STEPS, weights=(3, 5)
    ),
    "top k": row("TopKCategoricalAccuracy", "one_hot", "unit", k=2),
    "sparse top k": row("SparseTopKCategoricalAccuracy", "ids 4", "unit", k=2),
    "sparse top k sorted": row(
        "SparseTopKCategoricalAccuracy", "ids 4", "ids 4", (6, 3), k=2, from_sorted_ids=True
    ),
    "binary crossentropy": row("BinaryCrossentropy", "binary", "unit"),
    "binary crossentropy logits": row(
        "BinaryCrossentropy", "binary", "wide", from_logits=True, label_smoothing=0.2
    ),
    "categorical crossentropy": row("CategoricalCrossentropy", "one_hot", "unit"),
    "categorical crossentropy logits": row(
        "CategoricalCrossentropy", "one_hot", "wide", from_logits=True, label_smoothing=0.1
    ),
    "sparse crossentropy": row(_SPARSE, "ids 4", "unit"),
    "sparse crossentropy logits": row(
        _SPARSE, "ids 4", "wide", STEPS, from_logits=True, ignore_class=2, weights=(3, 5)
    ),
    "kl divergence": row("KLDivergence", "unit", "unit"),
    "poisson": row("Poisson", "counts", "positive"),
    "hinge": row("Hinge", "signs", "normal"),
    "squared hinge": row("SquaredHinge", "binary", "normal"),
    "categorical hinge": row("CategoricalHinge", "one_hot", "normal"),
    "cosine": row("CosineSimilarity", "normal", "normal"),
    "log cosh": row("LogCoshError", "normal", "wide"),
    "mae": row("MeanAbsoluteError", "normal", "normal"),
    "mape": row("MeanAbsolutePercentageError", "normal", "normal"),
    "mse": row("MeanSquaredError", "normal", "normal", STEPS, weights=(3, 5)),
    "msle": row("MeanSquaredLogarithmicError", "positive", "positive"),
    "rmse": row("RootMeanSquaredError", "normal", "normal"),
    "auc": row("AUC", "binary", "unit", (20, 1)),
    "auc logits": row("AUC", "binary", "wide", from_logits=True, num_thresholds=30),
    "auc thresholds": row("AUC", "binary", "unit", thresholds=[0.8, 0.1, 0.35]),
    "auc labels": row("AUC", "binary", "unit", (12, 3), multi_label=True, num_labels=3),
    "auc label weights": row(
        "AUC", "binary", "unit", (12, 3), multi_label=True, label_weights=[0.5, 2.0, 1.0]
    ),
    "fbeta": row("FBetaScore", "binary", "unit", beta=2.0, average="macro", threshold=0.4),
    "f1": row("F1Score", "one_hot", "unit"),
}
for _name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"):
    CASES[_name] = row(_name, "binary", "unit")
    CASES[f"{_name} thresholds"] = row(_name, "binary", "unit", thresholds=[0.2, 0.6])
_AT: dict[str, dict[str, float]] = {
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.6},
    "PrecisionAtRecall": {"recall": 0.4},
    "RecallAtPrecision": {"precision": 0.55},
}
for _name, _config in _AT.items():
    CASES[_name] = row(_name, "binary", "unit", (20, 1), **_config)
    CASES[f"{_name} class"] = row(_name, "binary", "unit", **_config, class_id=1, num_thresholds=20)
for _name in ("Precision", "Recall"):
    for _options in (
        {},
        {"thresholds": [0.2, 0.7]},
        {"top_k": 2},
        {"class_id": 1},
        {"top_k": 1, "class_id": 2},
    ):
        _title = f"{_name} {' '.join(_options)}".strip()
        CASES[_title] = row(_name, "binary", "unit", **_options)
for _curve in ("ROC", "PR", "PRGAIN"):
    for _method in ("interpolation", "minoring", "majoring"):
        CASES[f"auc {_curve} {_method}"] = row(
            "AUC", "binary", "unit", (20, 1), curve=_curve, summation_method=_method
        )
for _average in (None, "micro", "macro", "weighted"):
    CASES[f"f1 {_average}"] = row("F1Score", "binary", "unit", average=_average, threshold=0.5)
for _average in (None, "uniform_average", "variance_weighted_average"):
    CASES[f"r2 {_average}"] = row(
        "R2Score", "normal", "normal", class_aggregation=_average, num_regressors=2
    )


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    given = {}
    for k in range(UPDATES):
        if row["labels"]:
            given[f"y_true/{k}"] = draw(rng, row["labels"], tuple(row["true_shape"]))
        given[f"y_pred/{k}"] = draw(rng, row["predictions"], tuple(row["shape"]))
        if k and row["weights"] is not None:
            given[f"weights/{k}"] = draw(rng, "weights", tuple(row["weights"]))
    return given


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    return _updated(keras_object(row["metric"]), given)


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    return _updated(fastrnn_object(row["metric"]), given)


def _updated(made: Any, given: Arrays) -> Arrays:
    answers = {}
    kind = "r2" if type(made).__name__ == "R2Score" else "result"
    for k in range(UPDATES):
        data = [given[f"{key}/{k}"] for key in ("y_true", "y_pred") if f"{key}/{k}" in given]
        made.update_state(*data, sample_weight=given.get(f"weights/{k}"))
        answers[f"{kind}/{k}"] = np.asarray(made.result())
    made.reset_state()
    made.update_state(*data)
    answers[f"{kind}/after reset"] = np.asarray(made.result())
    return answers
