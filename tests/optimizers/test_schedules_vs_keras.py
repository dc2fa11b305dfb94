"""Learning-rate schedules give Keras's rates, from Keras's arguments, and go to its configs."""

from __future__ import annotations

import inspect
import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import optimizers
from fastrnn.optimizers import schedules
from fastrnn.variable import Variable

NAMES = [name for name in schedules.__all__ if name[0].isupper() and "Schedule" not in name]
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.8}),
    ("ExponentialDecay", {"decay_steps": 7, "decay_rate": 0.8, "staircase": True, "name": "e"}),
    ("InverseTimeDecay", {"decay_steps": 7, "decay_rate": 0.8}),
    # 0.3 is not 0.3 in float32: the stairs begin where they begin there.
    ("InverseTimeDecay", {"decay_steps": 0.3, "decay_rate": 0.8, "staircase": True}),
    ("PolynomialDecay", {"decay_steps": 9}),
    ("PolynomialDecay", {"decay_steps": 9, "end_learning_rate": 0.02, "power": 0.5}),
    ("PolynomialDecay", {"decay_steps": 9, "power": 2.0, "cycle": True}),
    ("CosineDecay", {"decay_steps": 20}),
    ("CosineDecay", {"decay_steps": 20, "alpha": 0.3}),
    ("CosineDecay", {"decay_steps": 20, "alpha": 0.3, "warmup_target": 0.7, "warmup_steps": 8}),
    ("CosineDecay", {"decay_steps": 20, "warmup_target": 0.02}),
    ("CosineDecay", {"decay_steps": 20, "warmup_steps": 8}),
    ("CosineDecayRestarts", {"first_decay_steps": 4}),
    ("CosineDecayRestarts", {"first_decay_steps": 3, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1}),
    ("CosineDecayRestarts", {"first_decay_steps": 7, "t_mul": 1.0, "m_mul": 0.9}),
]
SCHEDULES = [(name, {"initial_learning_rate": 0.1, **config}) for name, config in VARIANTS]
SCHEDULES.append(
    ("PiecewiseConstantDecay", {"boundaries": [5, 6, 30], "values": [0.4, 0.1, 0.2, 0.3]})
)
STEPS = [*range(40), 1000]
schedule_variants = pytest.mark.parametrize(("name", "config"), SCHEDULES, ids=str)


@schedule_variants
def test_rates(name: str, config: dict[str, Any], keras: ModuleType) -> None:
    ours = getattr(schedules, name)(**config)
    theirs = getattr(keras.optimizers.schedules, name)(**config)
    got = [ours(step) for step in STEPS]
    want = [float(theirs(keras.ops.convert_to_tensor(step, "int64"))) for step in STEPS]
    # Two roundings of the largest rate, where a cosine cancels.
    np.testing.assert_allclose(got, want, rtol=5e-7, atol=2e-7 * max(want))
    assert all(isinstance(rate, float) for rate in got)


@schedule_variants
def test_configs(name: str, config: dict[str, Any], keras: ModuleType) -> None:
    ours = getattr(schedules, name)(**config)
    theirs = getattr(keras.optimizers.schedules, name)(**config)
    written = schedules.serialize(ours)
    assert written == keras.optimizers.schedules.serialize(theirs)
    assert json.loads(json.dumps(written)) == written
    again = schedules.deserialize(written)
    assert type(again) is type(ours)
    assert again.get_config() == written["config"]
    assert type(ours).from_config(written["config"]).get_config() == written["config"]
    optimizer = optimizers.get(optimizers.serialize(optimizers.SGD(ours)))
    assert optimizer.learning_rate == ours(0)


@pytest.mark.parametrize("name", NAMES)
def test_signatures(name: str, keras: ModuleType) -> None:
    def defaults(module: Any) -> list[tuple[str, Any]]:
        parameters = inspect.signature(getattr(module, name)).parameters.values()
        return [(p.name, p.default) for p in parameters]

    assert defaults(schedules) == defaults(keras.optimizers.schedules)


def test_a_schedule_counts_the_updates() -> None:
    variable = Variable([1.0])
    optimizer = optimizers.SGD(schedules.PiecewiseConstantDecay([0, 1], [0.5, 0.25, 0.0]))
    for want in (0.5, 0.25, 0.25):
        optimizer.apply([np.array([1.0])], [variable])
        assert variable.value[0] == want


def test_a_whole_number_is_a_rate_too() -> None:
    """Keras computes in integers then, and fails in the warmup."""
    schedule = schedules.CosineDecay(0, 10, warmup_target=1, warmup_steps=4)
    assert [schedule(step) for step in (0, 1, 4, 14)] == [0.0, 0.25, 1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("ExponentialDecay", {"decay_steps": 0, "decay_rate": 0.5}, "`decay_steps`"),
        ("ExponentialDecay", {"decay_steps": 5, "decay_rate": -0.5}, "`decay_rate`"),
        ("InverseTimeDecay", {"decay_steps": -1, "decay_rate": 0.5}, "`decay_steps`"),
        ("InverseTimeDecay", {"decay_steps": 5, "decay_rate": "x"}, "`decay_rate`"),
        ("PolynomialDecay", {"decay_steps": np.nan}, "`decay_steps`"),
        ("PolynomialDecay", {"decay_steps": 5, "power": -1.0}, "`power`"),
        ("PolynomialDecay", {"decay_steps": 5, "end_learning_rate": None}, "`end_learning_rate`"),
        ("CosineDecay", {"decay_steps": 0}, "`decay_steps`"),
        ("CosineDecay", {"decay_steps": 5, "warmup_steps": -1}, "`warmup_steps`"),
        ("CosineDecay", {"decay_steps": 5, "warmup_target": "x"}, "`warmup_target`"),
        ("CosineDecay", {"decay_steps": 5, "alpha": "x"}, "`alpha`"),
        ("CosineDecayRestarts", {"first_decay_steps": 0}, "`first_decay_steps`"),
        ("CosineDecayRestarts", {"first_decay_steps": 5, "t_mul": 0.5}, "`t_mul`"),
        ("CosineDecayRestarts", {"first_decay_steps": 5, "m_mul": None}, "`m_mul`"),
    ],
)
def test_refused(name: str, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message} must be.*Received"):
        getattr(schedules, name)(**{"initial_learning_rate": 0.1, **config})
    with pytest.raises(ValueError, match=r"`initial_learning_rate` must be.*Received"):
        getattr(schedules, name)(**{**config, "initial_learning_rate": "x"})


@pytest.mark.parametrize(
    ("boundaries", "values", "message"),
    [
        ([1, 2], [0.1, 0.2], "one more element"),
        ([2, 1], [0.1, 0.2, 0.3], "must rise"),
        ([1], ["a", 0.1], "`values`"),
        (["a"], [0.1, 0.1], "`boundaries`"),
    ],
)
def test_refused_pieces(boundaries: list[Any], values: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        schedules.PiecewiseConstantDecay(boundaries, values)


@pytest.mark.parametrize("config", ["cosine", None, {}, {"class_name": "Cosine", "config": {}}])
def test_deserialize_refuses(config: Any) -> None:
    with pytest.raises(ValueError, match="Could not interpret learning rate schedule"):
        schedules.deserialize(config)
