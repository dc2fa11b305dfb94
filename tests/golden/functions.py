"""Functions of one array: schedules, regularizers, constraints, initializers without chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden.answers import Arrays
from golden.draws import draw
from golden.objects import (
    constraint,
    fastrnn_object,
    initializer,
    keras_object,
    regularizer,
    schedule,
)

LIMITS = {"": 1e-6, "gradient": 2e-6}
STEPS = [*range(24), 1000]


def _rate(name: str, **config: Any) -> dict[str, Any]:
    return {"object": schedule(name, **{"initial_learning_rate": 0.1, **config}), "kind": "steps"}


def _penalty(name: str, **config: Any) -> dict[str, Any]:
    return {"object": regularizer(name, **config), "kind": "normal", "gradient": True}


def _projection(name: str, **config: Any) -> dict[str, Any]:
    return {"object": constraint(name, **config), "kind": "normal"}


def _value(name: str, shape: tuple[int, ...], **config: Any) -> dict[str, Any]:
    return {"object": initializer(name, **config), "kind": "shape", "shape": list(shape)}


_PIECES: dict[str, Any] = {"boundaries": [5, 6, 20], "values": [0.4, 0.1, 0.2, 0.3]}

CASES: dict[str, Any] = {
    "exponential": _rate("ExponentialDecay", decay_steps=7, decay_rate=0.8),
    "exponential stairs": _rate("ExponentialDecay", decay_steps=7, decay_rate=0.8, staircase=True),
    "inverse time": _rate("InverseTimeDecay", decay_steps=7, decay_rate=0.8),
    "inverse time stairs": _rate("InverseTimeDecay", decay_steps=5, decay_rate=0.5, staircase=True),
    "polynomial": _rate("PolynomialDecay", decay_steps=9),
    "polynomial power": _rate("PolynomialDecay", decay_steps=9, end_learning_rate=0.02, power=0.5),
    "polynomial cycle": _rate("PolynomialDecay", decay_steps=9, power=2.0, cycle=True),
    "cosine": _rate("CosineDecay", decay_steps=20, alpha=0.3),
    "cosine warmup": _rate("CosineDecay", decay_steps=20, warmup_target=0.7, warmup_steps=8),
    "restarts": _rate("CosineDecayRestarts", first_decay_steps=4),
    "restarts longer": _rate(
        "CosineDecayRestarts", first_decay_steps=3, t_mul=1.5, m_mul=0.8, alpha=0.1
    ),
    "restarts alike": _rate("CosineDecayRestarts", first_decay_steps=7, t_mul=1.0, m_mul=0.9),
    "pieces": {"object": schedule("PiecewiseConstantDecay", **_PIECES), "kind": "steps"},
    "l1": _penalty("L1", l1=0.03),
    "l2": _penalty("L2", l2=0.04),
    "l1 l2": _penalty("L1L2", l1=0.02, l2=0.05),
    "orthogonal rows": _penalty("OrthogonalRegularizer", factor=0.2),
    "orthogonal columns": _penalty("OrthogonalRegularizer", factor=0.2, mode="columns"),
    "max norm": _projection("MaxNorm", max_value=1.5),
    "max norm axis": _projection("MaxNorm", max_value=1.5, axis=1),
    "min max norm": _projection("MinMaxNorm", min_value=1.2, max_value=1.6),
    "min max norm rate": _projection(
        "MinMaxNorm", min_value=1.2, max_value=1.6, rate=0.7, axis=[0, 1]
    ),
    "non neg": _projection("NonNeg"),
    "unit norm": _projection("UnitNorm"),
    "unit norm axis": _projection("UnitNorm", axis=1),
    "zeros": _value("Zeros", (2, 3)),
    "ones": _value("Ones", (2, 3)),
    "constant": _value("Constant", (2, 3), value=0.7),
    "identity": _value("Identity", (3, 4), gain=0.5),
}


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    if row["kind"] == "steps":
        return {"steps": np.array(STEPS, np.int32)}
    if row["kind"] == "shape":
        return {"shape": np.array(row["shape"], np.int32)}
    return {"x": draw(rng, row["kind"], (4, 6))}


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import tensorflow as tf

    if row["kind"] == "steps":
        rate = keras_object(row["object"])
        rates = [float(rate(tf.constant(step, tf.int64))) for step in given["steps"]]
        return {"rates": np.array(rates)}
    if row["kind"] == "shape":
        return {"value": np.asarray(keras_object(row["object"])(tuple(given["shape"])))}
    x = tf.constant(given["x"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = keras_object(row["object"])(x)
    answers = {"y": np.asarray(y)}
    if row.get("gradient"):
        answers["gradient"] = np.asarray(tape.gradient(y, x))
    return answers


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    if row["kind"] == "steps":
        rate = fastrnn_object(row["object"])
        return {"rates": np.array([rate(int(step)) for step in given["steps"]])}
    if row["kind"] == "shape":
        return {"value": fastrnn_object(row["object"])(tuple(given["shape"]))}
    function = fastrnn_object(row["object"])
    answers = {"y": np.asarray(function(given["x"]))}
    if row.get("gradient"):
        answers["gradient"] = function.gradient(given["x"])
    return answers
