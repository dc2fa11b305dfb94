"""Fifty updates of each variant of each optimizer end where Keras's do."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import optimizers
from fastrnn.variable import Variable

STEPS = 50
SHAPES = ((5, 3), (17,))
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"learning_rate": 0.1, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.2}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 0.7}),
    ("RMSprop", {}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.7, "epsilon": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "momentum": 0.9, "clipnorm": 1.0}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4}),
    ("Adam", {"learning_rate": 0.01, "amsgrad": True}),
    ("Adam", {"learning_rate": 0.01, "weight_decay": 0.1, "global_clipnorm": 0.7}),
    ("Adam", {"learning_rate": 0.01, "clipvalue": 0.3}),
    ("AdamW", {}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.2, "amsgrad": True, "clipnorm": 0.5}),
]
variants = pytest.mark.parametrize(("name", "config"), VARIANTS, ids=str)


def gradients_of(rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Gradients of very different size, with zeros: what an embedding gives, and more."""
    return [
        [
            (rng.choice([0.0, 1e-4, 0.1, 1.0], shape) * rng.standard_normal(shape)).astype("f4")
            for shape in SHAPES
        ]
        for _ in range(STEPS)
    ]


@variants
def test_fifty_updates(
    name: str, config: dict[str, Any], keras: ModuleType, rng: np.random.Generator
) -> None:
    start = [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]
    ours = [
        Variable(value, name="kernel", path=f"dense_{i}/kernel") for i, value in enumerate(start)
    ]
    theirs = [keras.Variable(value) for value in start]
    optimizer, reference = (
        getattr(optimizers, name)(**config),
        getattr(keras.optimizers, name)(**config),
    )
    for gradients in gradients_of(rng):
        optimizer.apply(gradients, ours)
        reference.apply([keras.ops.convert_to_tensor(g) for g in gradients], theirs)
    assert optimizer.iterations == int(reference.iterations) == STEPS
    for got, want, before in zip(ours, theirs, start, strict=True):
        # Against the way each weight went, since rounding of the weights themselves is not ours.
        moved = np.abs(want.numpy() - before).max()
        np.testing.assert_allclose(got.value, want.numpy(), rtol=2e-6, atol=2e-5 * moved)
    slots = [variable.numpy() for variable in reference.variables[2:]]
    assert len(optimizer.variables) == len(slots)
    for slot, want in zip(optimizer.variables, slots, strict=True):
        np.testing.assert_allclose(slot.value, want, rtol=1e-4, atol=1e-6, err_msg=slot.path)


@variants
def test_slots_are_named_as_keras_s(name: str, config: dict[str, Any], keras: ModuleType) -> None:
    optimizer = getattr(optimizers, name)(**config, name="o")
    reference = getattr(keras.optimizers, name)(**config, name="o")
    layer = keras.layers.Dense(2, name="d")
    layer.build((None, 3))
    optimizer.build([Variable(w.numpy(), w.name, w.path) for w in layer.trainable_weights])
    reference.build(layer.trainable_weights)
    want = [(v.path, v.name, tuple(v.shape)) for v in reference.variables[2:]]
    assert [(v.path, v.name, v.shape) for v in optimizer.variables] == want


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_defaults_and_configs_are_keras_s(name: str, keras: ModuleType) -> None:
    ours, theirs = getattr(optimizers, name), getattr(keras.optimizers, name)
    ours_parameters = inspect.signature(ours).parameters
    assert ours(name="o").get_config() == theirs(name="o").get_config()
    config = ours(0.5, clipnorm=2.0).get_config()
    assert theirs.from_config(dict(config)).get_config() == config
    assert ours.from_config(config).get_config() == config
    shared = [p for p in inspect.signature(theirs).parameters if p in ours_parameters]
    assert [p for p in ours_parameters if p in shared] == shared
    for parameter in set(inspect.signature(theirs).parameters) - {*shared, "kwargs"}:
        default = inspect.signature(theirs).parameters[parameter].default
        ours(**{parameter: default})


def test_excluded_from_weight_decay(keras: ModuleType) -> None:
    start = np.ones(3, np.float32)
    ours = [Variable(start, name) for name in ("kernel", "bias", "gamma")]
    theirs = [keras.Variable(start, name=name) for name in ("kernel", "bias", "gamma")]
    for optimizer, variables in (
        (optimizers.AdamW(0.1), ours),
        (keras.optimizers.AdamW(0.1), theirs),
    ):
        optimizer.exclude_from_weight_decay([variables[2]], ["bias"])
        optimizer.apply([keras.ops.convert_to_tensor(start)] * 3, variables)
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got.value, want.numpy(), rtol=1e-6)
    assert ours[0].value[0] != ours[1].value[0] == ours[2].value[0]


def published() -> list[Any]:
    folder = os.environ.get("FASTRNN_CASES")
    if not folder:
        return [pytest.param(None, marks=pytest.mark.skip(reason="$FASTRNN_CASES is not set"))]
    cases = json.loads(Path(folder, "extra_cases.json").read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if case["kind"] == "optimizer"]


@pytest.mark.parametrize("case", published())
def test_published_numbers(case: dict[str, Any]) -> None:
    config = dict(case["config"])
    optimizer = optimizers.get({"class_name": config.pop("name"), "config": config})
    variable = Variable(case["var"])
    for gradient, expected in zip(case["grads"], case["expected"], strict=True):
        optimizer.apply([np.array(gradient)], [variable])
        if expected is not None:
            np.testing.assert_allclose(
                variable.value, expected, atol=case["atol"], rtol=case["rtol"]
            )
