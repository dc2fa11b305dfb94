"""Fifty updates of each optimizer with each of its arguments end where Keras's do."""

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

# What each optimizer has of its own, and a learning rate at which it moves.
OWN: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"learning_rate": 0.1, "momentum": 0.9},
        {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        {"learning_rate": 0.1, "nesterov": True},
    ],
    "RMSprop": [
        {},
        {"learning_rate": 0.01, "rho": 0.7, "epsilon": 1e-3},
        {"learning_rate": 0.01, "momentum": 0.5},
        {"learning_rate": 0.01, "centered": True},
        {"learning_rate": 0.01, "centered": True, "momentum": 0.9},
    ],
    "Adam": [
        {},
        {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4},
        {"learning_rate": 0.01, "amsgrad": True},
    ],
    "AdamW": [
        {},
        {"learning_rate": 0.01, "weight_decay": 0.2, "amsgrad": True, "clipnorm": 0.5},
        {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4},
    ],
    "Adagrad": [
        {},
        {"learning_rate": 0.1, "initial_accumulator_value": 0.01, "epsilon": 1e-3},
    ],
    "Nadam": [
        {},
        {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4},
    ],
    "Adamax": [
        {},
        {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.8, "epsilon": 1e-3},
    ],
    "Adadelta": [
        {},
        {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3},
    ],
}
SCHEDULE = ("CosineDecay", {"initial_learning_rate": 0.05, "decay_steps": 40})
# What they share: every argument with every optimizer.
SHARED: list[dict[str, Any]] = [
    {"weight_decay": 0.1, "clipnorm": 0.5},
    {"clipvalue": 0.3, "gradient_accumulation_steps": 3},
    {"global_clipnorm": 0.7, "use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    {
        "learning_rate": SCHEDULE,
        "loss_scale_factor": 3.0,
        "weight_decay": 0.1,
        "gradient_accumulation_steps": 2,
        "use_ema": True,
        "ema_overwrite_frequency": 5,
    },
]
VARIANTS = [
    (name, config)
    for name, own in OWN.items()
    for config in (*own, *({"learning_rate": 0.05, **shared} for shared in SHARED))
]
variants = pytest.mark.parametrize(("name", "config"), VARIANTS, ids=str)
names = pytest.mark.parametrize("name", OWN)


def make(framework: Any, name: str, config: dict[str, Any]) -> Any:
    """An optimizer of `keras.optimizers` or `fastrnn.optimizers`."""
    config = dict(config)
    if isinstance(config.get("learning_rate"), tuple):
        schedule, arguments = config["learning_rate"]
        config["learning_rate"] = getattr(framework.schedules, schedule)(**arguments)
    return getattr(framework, name)(**config)


def gradients_of(rng: np.random.Generator, steps: int = STEPS) -> list[list[np.ndarray]]:
    """Gradients of very different size, with zeros: what an embedding gives, and more."""
    return [
        [
            (rng.choice([0.0, 1e-4, 0.1, 1.0], shape) * rng.standard_normal(shape)).astype("f4")
            for shape in SHAPES
        ]
        for _ in range(steps)
    ]


def twins(keras: ModuleType, rng: np.random.Generator) -> tuple[list[Variable], list[Any]]:
    """The same variables here and in Keras."""
    start = [rng.standard_normal(shape).astype(np.float32) for shape in SHAPES]
    ours = [
        Variable(value, name="kernel", path=f"dense_{i}/kernel") for i, value in enumerate(start)
    ]
    return ours, [keras.Variable(value) for value in start]


def apply_both(
    ours: Any, theirs: Any, variables: tuple[Any, Any], gradients: list[list[np.ndarray]]
) -> None:
    import tensorflow as tf

    theirs.build(variables[1])
    # A graph takes a fifth of the time of single operations.
    graph = tf.function(lambda step: theirs.apply(step, variables[1]), autograph=False)
    for step in gradients:
        ours.apply(step, variables[0])
        graph(step)


def assert_same_slots(ours: Any, theirs: Any) -> None:
    slots = [variable.numpy() for variable in theirs.variables[-len(ours.slots) :]]
    for slot, want in zip(ours.slots, slots if ours.slots else [], strict=True):
        atol = 2e-6 * np.abs(want).max(initial=0.0)
        np.testing.assert_allclose(slot.value, want, rtol=2e-6, atol=atol, err_msg=slot.path)


@variants
def test_fifty_updates(
    name: str, config: dict[str, Any], keras: ModuleType, rng: np.random.Generator
) -> None:
    ours, theirs = variables = twins(keras, rng)
    start = [variable.numpy() for variable in ours]
    optimizer, reference = (
        make(framework, name, config) for framework in (optimizers, keras.optimizers)
    )
    apply_both(optimizer, reference, variables, gradients_of(rng))
    assert optimizer.iterations == int(reference.iterations)
    assert optimizer.learning_rate == pytest.approx(float(reference.learning_rate), rel=1e-6)

    def compare() -> None:
        for got, want, before in zip(ours, theirs, start, strict=True):
            moved = np.abs(want.numpy() - before).max()
            np.testing.assert_allclose(got.value, want.numpy(), rtol=2e-6, atol=2e-6 * moved)

    compare()
    assert_same_slots(optimizer, reference)
    optimizer.finalize_variable_values(ours)
    reference.finalize_variable_values(theirs)
    compare()


@names
def test_constraints(name: str, keras: ModuleType, rng: np.random.Generator) -> None:
    """They come after all else: after the averages too, and where no update was due."""
    ours, theirs = variables = twins(keras, rng)
    ours[0].constraint = lambda w: np.maximum(w, np.float32(0.25))
    theirs[0].constraint = lambda w: keras.ops.maximum(w, 0.25)
    config = {"learning_rate": 0.05, "use_ema": True, "ema_overwrite_frequency": 2}
    if name != "SGD":
        config["gradient_accumulation_steps"] = 3
    optimizer, reference = (
        make(framework, name, config) for framework in (optimizers, keras.optimizers)
    )
    array = ours[0].value
    for _ in range(3):  # at every place of an accumulation of 3
        apply_both(optimizer, reference, variables, gradients_of(rng, 4))
        assert ours[0].value is array
        for got, want in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(got.value, want.numpy(), rtol=1e-5, atol=1e-6)
        assert_same_slots(optimizer, reference)
    assert (array == 0.25).any()
    assert (ours[1].value < 0.25).any()


@variants
def test_slots_are_named_as_keras_s(name: str, config: dict[str, Any], keras: ModuleType) -> None:
    config = {**config, "name": "o"}
    optimizer, reference = (
        make(framework, name, config) for framework in (optimizers, keras.optimizers)
    )
    layer = keras.layers.Dense(2, name="d")
    layer.build((None, 3))
    optimizer.build(
        [Variable(w.numpy(), name=w.name, path=w.path) for w in layer.trainable_weights]
    )
    reference.build(layer.trainable_weights)
    first = 1 if isinstance(config.get("learning_rate"), tuple) else 2
    want = [(v.path, v.name, tuple(v.shape)) for v in reference.variables[first:]]
    if name == "Nadam":
        # Keras numbers it among all variables without a name.
        assert want[-1][0].startswith("variable")
        want[-1] = ("o/product", "product", ())
    assert [(v.path, v.name, v.shape) for v in optimizer.slots] == want


@names
def test_signatures_and_configs_are_keras_s(name: str, keras: ModuleType) -> None:
    ours, theirs = getattr(optimizers, name), getattr(keras.optimizers, name)

    def defaults(cls: type) -> list[tuple[str, Any]]:
        parameters = inspect.signature(cls).parameters.values()
        return [(p.name, p.default) for p in parameters]

    assert defaults(ours) == defaults(theirs)
    assert ours(name="o").get_config() == theirs(name="o").get_config()
    for _, config in (variant for variant in VARIANTS if variant[0] == name):
        optimizer, reference = (
            make(framework, name, {**config, "name": "o"})
            for framework in (optimizers, keras.optimizers)
        )
        written = optimizers.serialize(optimizer)
        assert written == keras.optimizers.serialize(reference)
        assert optimizers.deserialize(written).get_config() == written["config"]
        assert ours.from_config(written["config"]).get_config() == written["config"]
        assert json.loads(json.dumps(written)) == written


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("Nadam", {"gradient_accumulation_steps": 2, "use_ema": True}),
        ("Adam", {"learning_rate": SCHEDULE}),
        ("SGD", {"momentum": 0.5}),
    ],
    ids=str,
)
def test_state_goes_over_to_keras_and_back(
    name: str, config: dict[str, Any], keras: ModuleType, rng: np.random.Generator
) -> None:
    ours, theirs = variables = twins(keras, rng)
    optimizer, reference = (
        make(framework, name, config) for framework in (optimizers, keras.optimizers)
    )
    optimizer.build(ours)
    reference.build(theirs)
    if name == "SGD":
        optimizer.learning_rate = 0.3
    for gradients in gradients_of(rng, 3):
        optimizer.apply(gradients, ours)
    state: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(state)
    reference.load_own_variables(state)
    for mine, other in zip(ours, theirs, strict=True):
        other.assign(mine.numpy())
    back: dict[str, np.ndarray] = {}
    reference.save_own_variables(back)
    fresh = make(optimizers, name, config)
    with pytest.raises(ValueError, match=r"before it is built.*Received"):
        fresh.load_own_variables(back)
    fresh.build(ours)
    fresh.load_own_variables(back)
    assert fresh.learning_rate == optimizer.learning_rate
    apply_both(fresh, reference, variables, gradients_of(rng, 3))
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got.value, want.numpy(), rtol=1e-5, atol=1e-6)


def test_excluded_from_weight_decay(keras: ModuleType) -> None:
    start = np.ones(3, np.float32)
    ours = [Variable(start, name=name) for name in ("kernel", "bias", "gamma")]
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
