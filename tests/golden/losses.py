"""Losses: values and gradients, with weights, masks and reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden.answers import Arrays
from golden.draws import draw
from golden.objects import fastrnn_object, keras_object, loss

LIMITS = {"": 2e-6}


def row(
    name: str,
    labels: str,
    predictions: str,
    shape: tuple[int, ...] = (4, 3),
    *,
    true_shape: tuple[int, ...] | None = None,
    weights: tuple[int, ...] | None = None,
    mask: bool = False,
    **config: Any,
) -> dict[str, Any]:
    """A loss, what its labels and predictions are, the shape of its weights."""
    if true_shape is None:
        true_shape = shape[:-1] if labels.startswith("ids") else shape
    return {
        "loss": loss(name, **config),
        "labels": labels,
        "predictions": predictions,
        "shape": list(shape),
        "true_shape": list(true_shape),
        "weights": None if weights is None else list(weights),
        "mask": mask,
    }


STEPS = (4, 3, 2)
_CROSS, _SPARSE = "CategoricalCrossentropy", "SparseCategoricalCrossentropy"
_FOCAL = "CategoricalFocalCrossentropy"

CASES = {
    "mse": row("MeanSquaredError", "normal", "normal"),
    "mse rank": row("MeanSquaredError", "normal", "normal", (4, 1), true_shape=(4,)),
    "mae": row("MeanAbsoluteError", "normal", "normal"),
    "mape": row("MeanAbsolutePercentageError", "normal", "normal"),
    "msle": row("MeanSquaredLogarithmicError", "positive", "positive"),
    "log cosh": row("LogCosh", "normal", "wide"),
    "huber": row("Huber", "normal", "wide"),
    "huber delta": row("Huber", "normal", "wide", STEPS, delta=0.3),
    "poisson": row("Poisson", "counts", "positive"),
    "kl divergence": row("KLDivergence", "unit", "unit"),
    "cosine": row("CosineSimilarity", "normal", "normal"),
    "hinge": row("Hinge", "signs", "normal"),
    "hinge of 0 and 1": row("Hinge", "binary", "normal"),
    "squared hinge": row("SquaredHinge", "signs", "normal"),
    "categorical hinge": row("CategoricalHinge", "one_hot", "normal"),
    "binary": row("BinaryCrossentropy", "binary", "unit"),
    "binary out of bounds": row("BinaryCrossentropy", "binary", "normal"),
    "binary rank": row("BinaryCrossentropy", "binary", "unit", (4, 3, 1), true_shape=(4, 3)),
    "binary smooth": row("BinaryCrossentropy", "binary", "unit", label_smoothing=0.2),
    "binary logits": row("BinaryCrossentropy", "binary", "wide", from_logits=True),
    "binary logits smooth": row(
        "BinaryCrossentropy", "binary", "wide", from_logits=True, label_smoothing=0.3
    ),
    "binary focal": row("BinaryFocalCrossentropy", "binary", "unit"),
    "binary focal balanced": row(
        "BinaryFocalCrossentropy",
        "binary",
        "unit",
        apply_class_balancing=True,
        alpha=0.3,
        gamma=1.5,
    ),
    "binary focal logits": row(
        "BinaryFocalCrossentropy", "binary", "wide", from_logits=True, label_smoothing=0.1
    ),
    "categorical": row(_CROSS, "one_hot", "unit"),
    "categorical smooth": row(_CROSS, "one_hot", "unit", label_smoothing=0.2),
    "categorical logits": row(_CROSS, "one_hot", "wide", STEPS, from_logits=True),
    "categorical logits smooth": row(
        _CROSS, "one_hot", "wide", from_logits=True, label_smoothing=0.1
    ),
    "categorical focal": row(_FOCAL, "one_hot", "unit"),
    "categorical focal alpha": row(
        _FOCAL, "one_hot", "unit", alpha=[0.1, 0.2, 0.4], gamma=1.5, label_smoothing=0.1
    ),
    "categorical focal logits": row(_FOCAL, "one_hot", "wide", from_logits=True),
    "sparse": row(_SPARSE, "ids 3", "unit"),
    "sparse logits": row(_SPARSE, "ids 2", "wide", STEPS, from_logits=True),
    "ctc": row("CTC", "labels 4", "normal", (5, 7, 4), true_shape=(5, 3), weights=(5,)),
    "ctc sum": row("CTC", "labels 4", "wide", (5, 7, 4), true_shape=(5, 3), reduction="sum"),
    "binary extreme": row("BinaryCrossentropy", "binary", "extreme", from_logits=True),
    "categorical extreme": row(_CROSS, "one_hot", "extreme", from_logits=True),
    "sparse extreme": row(_SPARSE, "ids 3", "extreme", from_logits=True),
    "binary focal extreme": row("BinaryFocalCrossentropy", "binary", "extreme", from_logits=True),
    "categorical focal extreme": row(_FOCAL, "one_hot", "extreme", from_logits=True),
    "log cosh extreme": row("LogCosh", "normal", "extreme"),
    "sparse column": row(_SPARSE, "ids 3", "unit", true_shape=(4, 1)),
    "sparse ignored": row(_SPARSE, "ids 3", "wide", ignore_class=1, from_logits=True),
    "sparse ignored mask": row(
        _SPARSE, "ids 2", "unit", STEPS, ignore_class=1, mask=True, weights=(4, 3)
    ),
}
# Every reduction with weights and masks.
for _reduction in ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None):
    for _mask in (False, True):
        for _weights in (None, (4,), (4, 1), (4, 3)):
            _shape = STEPS if _weights is None or len(_weights) == 2 else (4, 3)
            _name = f"mse {_reduction}{' mask' * _mask} weights {_weights}"
            CASES[_name] = row(
                "MeanSquaredError",
                "normal",
                "normal",
                _shape,
                reduction=_reduction,
                mask=_mask,
                weights=_weights,
            )


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    given = {
        "y_true": draw(rng, row["labels"], tuple(row["true_shape"])),
        "y_pred": draw(rng, row["predictions"], tuple(row["shape"])),
    }
    if row["weights"] is not None:
        given["weights"] = draw(rng, "weights", tuple(row["weights"]))
    if row["mask"]:
        given["mask"] = rng.random(row["shape"][:-1]) < 0.6
    return given


def has_gradient(row: dict[str, Any]) -> bool:
    return row["loss"]["config"].get("reduction", "") not in ("none", None)


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import tensorflow as tf
    from keras.src.backend import set_keras_mask

    y_pred = tf.Variable(given["y_pred"])
    with tf.GradientTape() as tape:
        tensor = tf.convert_to_tensor(y_pred)
        if "mask" in given:
            set_keras_mask(tensor, tf.constant(given["mask"]))
        value = keras_object(row["loss"])(given["y_true"], tensor, given.get("weights"))
    answers = {"value": np.asarray(value)}
    if has_gradient(row):
        answers["gradient"] = tape.gradient(value, y_pred).numpy()
    return answers


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    ours = fastrnn_object(row["loss"])
    mask, data = given.get("mask"), (given["y_true"], given["y_pred"], given.get("weights"))
    answers = {"value": np.asarray(ours(*data, mask=mask))}
    if has_gradient(row):
        value, answers["gradient"] = ours.value_and_gradient(*data, mask=mask)
        np.testing.assert_allclose(value, answers["value"], rtol=1e-6)
    return answers
