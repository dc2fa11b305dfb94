"""Constraints: values of Keras, names, configs, bad input."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import constraints

MADE: list[tuple[str, dict[str, Any]]] = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.7, "axis": 1}),
    ("MaxNorm", {"max_value": 0.9, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": -1}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.5}),
    ("MinMaxNorm", {"min_value": 1.2, "max_value": 1.5, "rate": 0.3, "axis": 1}),
]


@pytest.mark.parametrize(("name", "config"), MADE, ids=lambda value: str(value))
def test_values_and_configs_are_those_of_keras(
    keras: ModuleType, rng: np.random.Generator, name: str, config: dict[str, Any]
) -> None:
    w = rng.normal(0, 2, (4, 3)).astype("float32")
    w[:, 1] = 0.0
    ours = getattr(constraints, name)(**config)
    theirs = getattr(keras.constraints, name)(**config)
    before = w.copy()
    got = ours(w)
    assert (got.shape, got.dtype) == (w.shape, np.float32)
    np.testing.assert_array_equal(w, before)
    assert np.abs(got - w).max() > 1e-3, "the constraint must have an effect here"
    np.testing.assert_allclose(got, theirs(w), rtol=1e-6, atol=1e-7)

    saved = constraints.serialize(ours)
    assert saved["config"] == theirs.get_config()
    assert keras.constraints.deserialize(saved).get_config() == theirs.get_config()
    again = constraints.deserialize(keras.constraints.serialize(theirs))
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()


def test_identifiers(keras: ModuleType) -> None:
    for name in ("max_norm", "MaxNorm", "non_neg", "NonNeg", "unit_norm", "min_max_norm"):
        ours, theirs = constraints.get(name), keras.constraints.get(name)
        assert type(ours).__name__ == type(theirs).__name__
        assert ours is not None
        assert ours.get_config() == theirs.get_config()  # type: ignore[attr-defined]
    for name in ("max_norm", "non_neg", "unit_norm", "min_max_norm"):
        assert getattr(constraints, name).__name__ == getattr(keras.constraints, name).__name__
    made = constraints.MaxNorm(3)
    assert constraints.get(made) is made
    assert isinstance(constraints.get(constraints.NonNeg), constraints.NonNeg)
    assert constraints.get(None) is None


def test_a_function_is_a_constraint_without_a_config() -> None:
    assert constraints.get(np.abs) is np.abs
    with pytest.raises(ValueError, match="Only a `Constraint` has a config"):
        constraints.serialize(np.abs)
    np.testing.assert_array_equal(constraints.Constraint()([1.0, -2.0]), [1, -2])


@pytest.mark.parametrize("bad", ["maxnorm", 3, {"class_name": "Max"}, dict])
def test_bad_identifiers(bad: Any) -> None:
    with pytest.raises(ValueError, match="Could not interpret constraint identifier"):
        constraints.get(bad)


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("MaxNorm", "max_value", -1.0),
        ("MaxNorm", "max_value", "2"),
        ("MaxNorm", "axis", 0.5),
        ("UnitNorm", "axis", [0, None]),
        ("MinMaxNorm", "min_value", float("nan")),
        ("MinMaxNorm", "max_value", None),
        ("MinMaxNorm", "rate", -0.5),
    ],
)
def test_bad_arguments(name: str, argument: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"`{argument}` must be .*Received: {argument}="):
        getattr(constraints, name)(**{argument: value})
