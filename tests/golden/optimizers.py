"""Optimizers: how far two variables have moved after each update, by gradients of many sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden.answers import Arrays, moves, sequence
from golden.draws import draw
from golden.objects import fastrnn_object, keras_object, optimizer, schedule

LIMITS = {"": 3e-5}  # of a movement that a float32 of about 1 has gone through
UPDATES = 10
SHAPES = ((4, 3), (5,))

_OWN: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"learning_rate": 0.1, "momentum": 0.9},
        {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    ],
    "RMSprop": [
        {"learning_rate": 0.01, "rho": 0.7, "epsilon": 1e-3},
        {"learning_rate": 0.01, "centered": True, "momentum": 0.5},
    ],
    "Adam": [
        {},
        {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4},
        {"learning_rate": 0.02, "amsgrad": True, "beta_2": 0.6},
    ],
    "AdamW": [
        {"learning_rate": 0.02},
        {
            "learning_rate": 0.02,
            "weight_decay": 0.3,
            "beta_1": 0.8,
            "beta_2": 0.7,
            "epsilon": 1e-4,
            "amsgrad": True,
        },
    ],
    "Adagrad": [
        {"learning_rate": 0.1, "initial_accumulator_value": 0.01, "epsilon": 1e-3},
    ],
    "Nadam": [
        {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4},
    ],
    "Adamax": [
        {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.8, "epsilon": 1e-3},
    ],
    "Adadelta": [
        {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3},
    ],
}
# Every argument that all share, with every optimizer.
_SHARED: list[dict[str, Any]] = [
    {"weight_decay": 0.1, "clipnorm": 0.5},
    {"clipvalue": 0.3, "gradient_accumulation_steps": 3},
    {"global_clipnorm": 0.7, "use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 4},
    {
        "learning_rate": schedule("CosineDecay", initial_learning_rate=0.1, decay_steps=8),
        "loss_scale_factor": 3.0,
        "use_ema": True,
    },
]

CASES: dict[str, Any] = {}
for _name, _own in _OWN.items():
    for _config in (*_own, *({"learning_rate": 0.05, **shared} for shared in _SHARED)):
        CASES[f"{_name} {' '.join(_config)}"] = {"optimizer": optimizer(_name, **_config)}


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    same = np.random.default_rng(3)  # the same for all, so that the file holds them once
    given = {f"start/{k}": draw(same, "normal", shape) for k, shape in enumerate(SHAPES)}
    for k, shape in enumerate(SHAPES):
        sizes = np.exp2(same.integers(-7, 3, (UPDATES, *shape)).astype(np.float32))
        given[f"gradients/{k}"] = draw(same, "normal", (UPDATES, *shape)) * sizes
        given[f"gradients/{k}"][3:, -1] = 0.0
    return given


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import keras

    start = sequence(given, "start")
    return _applied(
        keras_object(row["optimizer"]),
        [keras.Variable(value) for value in start],
        given,
        keras.ops.convert_to_tensor,
    )


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    from fastrnn.variable import Variable

    start = sequence(given, "start")
    variables = [Variable(value, name=f"weight_{k}") for k, value in enumerate(start)]
    return _applied(fastrnn_object(row["optimizer"]), variables, given, np.array)


def _applied(made: Any, variables: list[Any], given: Arrays, tensor: Any) -> Arrays:
    start, gradients = sequence(given, "start"), sequence(given, "gradients")
    answers: Arrays = {}
    for step in range(UPDATES):
        made.apply([tensor(gradient[step]) for gradient in gradients], variables)
        if step in (0, 1, 3, UPDATES - 1):
            answers |= moves(f"update {step}", [each.numpy() for each in variables], start)
    made.finalize_variable_values(variables)
    return answers | moves("finalized", [each.numpy() for each in variables], start)
