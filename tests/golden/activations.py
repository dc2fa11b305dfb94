"""Activations as functions, with their arguments, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden.answers import Arrays
from golden.draws import draw

LIMITS = {"": 1e-6, "gradient": 2e-6}

_NAMES = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "tanh",
    "tanh_shrink",
]
_OPTIONS: dict[str, dict[str, Any]] = {
    "celu": {"alpha": 0.7},
    "elu": {"alpha": 0.7},
    "gelu": {"approximate": True},
    "glu": {"axis": 0},
    "hard_shrink": {"threshold": 1.3},
    "leaky_relu": {"negative_slope": 0.01},
    "log_softmax": {"axis": 0},
    "relu": {"negative_slope": 0.1, "max_value": 1.5, "threshold": 0.3},
    "soft_shrink": {"threshold": 1.3},
    "softmax": {"axis": 0},
    "squareplus": {"b": 2},
    "threshold": {"threshold": 0.4, "default_value": 0.2},
}
CASES: dict[str, Any] = {name: {"activation": name, "arguments": {}} for name in _NAMES}
for _name, _arguments in _OPTIONS.items():
    CASES[f"{_name} {' '.join(_arguments)}"] = {"activation": _name, "arguments": _arguments}


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    x = draw(rng, "wide", (4, 6))
    x[0, :4] = [90.0, -90.0, 20.0, -20.0]
    shape = np.asarray(getattr(keras.activations, row["activation"])(x, **row["arguments"])).shape
    return {"x": x, "d_y": draw(rng, "normal", shape)}


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import keras
    import tensorflow as tf

    x = tf.constant(given["x"])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(keras.activations, row["activation"])(x, **row["arguments"])
    d_x = tape.gradient(y, x, output_gradients=tf.constant(given["d_y"]))
    return {"y": np.asarray(y), "gradient": np.asarray(d_x)}


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    from fastrnn import activations

    function = getattr(activations, row["activation"])
    y = function(given["x"], **row["arguments"])
    d_x = function.backward(given["x"], y, given["d_y"], **row["arguments"])
    return {"y": y, "gradient": d_x}
