"""Regularizers: values and gradients of Keras, names, configs, bad input."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import regularizers

MADE: list[tuple[str, dict[str, Any]]] = [
    ("L1", {"l1": 0.3}),
    ("L2", {"l2": 0.2}),
    ("L1L2", {"l1": 0.05, "l2": 0.3}),
    ("L1L2", {"l1": 0.0, "l2": 0.0}),
    ("OrthogonalRegularizer", {"factor": 0.4}),
    ("OrthogonalRegularizer", {"factor": 0.4, "mode": "columns"}),
]


@pytest.mark.parametrize(("name", "config"), MADE, ids=lambda value: str(value))
def test_values_and_gradients_are_those_of_keras(
    keras: ModuleType, rng: np.random.Generator, name: str, config: dict[str, Any]
) -> None:
    import tensorflow as tf

    x = rng.normal(size=(5, 3)).astype("float32")
    x[1, 2] = 0.0
    variable = tf.Variable(x)
    with tf.GradientTape() as tape:
        wanted = getattr(keras.regularizers, name)(**config)(variable)
    ours = getattr(regularizers, name)(**config)
    assert isinstance(ours(x), float)
    assert ours(x) == pytest.approx(float(wanted), rel=1e-5)
    d_x = tape.gradient(wanted, variable)
    got = ours.gradient(x)
    assert (got.shape, got.dtype, got.flags.c_contiguous) == (x.shape, np.float32, True)
    wanted_gradient = np.zeros_like(x) if d_x is None else d_x.numpy()
    np.testing.assert_allclose(got, wanted_gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "config"), MADE, ids=lambda value: str(value))
def test_configs_go_to_keras_and_back(keras: ModuleType, name: str, config: dict[str, Any]) -> None:
    made = getattr(regularizers, name)(**config)
    saved = regularizers.serialize(made)
    assert saved["config"].items() >= config.items()
    theirs = keras.regularizers.deserialize(saved)
    assert type(theirs).__name__ == name
    # Keras keeps some factors in float32.
    assert theirs.get_config() == pytest.approx(made.get_config())
    again = regularizers.deserialize(keras.regularizers.serialize(theirs))
    assert type(again) is type(made)
    assert again.get_config() == pytest.approx(made.get_config())
    assert type(made).from_config(made.get_config()).get_config() == made.get_config()


def test_identifiers(keras: ModuleType) -> None:
    for name in ("l1", "l2", "L1", "L2", "l1l2", "L1L2", "orthogonal_regularizer"):
        ours, theirs = regularizers.get(name), keras.regularizers.get(name)
        assert type(ours).__name__ == type(theirs).__name__
        assert ours is not None
        assert ours.get_config() == pytest.approx(theirs.get_config())
    made = regularizers.L2(0.5)
    assert regularizers.get(made) is made
    assert isinstance(regularizers.get(regularizers.L1), regularizers.L1)
    assert regularizers.get(None) is None
    for name in ("l1", "l2", "l1_l2", "orthogonal_regularizer"):
        assert getattr(regularizers, name).__name__ == getattr(keras.regularizers, name).__name__


def test_the_name_l1_l2_is_the_pair_that_keras_documents() -> None:
    """Keras 3.15.1 documents it and refuses it."""
    made = regularizers.get("l1_l2")
    assert made is not None
    assert made.get_config() == {"l1": 0.01, "l2": 0.01}


@pytest.mark.parametrize("bad", ["l3", "ridge", 3, {"class_name": "L9"}, dict])
def test_bad_identifiers(bad: Any) -> None:
    with pytest.raises(ValueError, match="Could not interpret regularizer identifier"):
        regularizers.get(bad)


@pytest.mark.parametrize("factor", [-0.1, float("nan"), float("inf"), "0.1", True, [0.1]])
def test_bad_factors(factor: Any) -> None:
    for name, argument in (("L1", "l1"), ("L2", "l2"), ("OrthogonalRegularizer", "factor")):
        with pytest.raises(ValueError, match=f"`{argument}` must be a number >= 0.0"):
            getattr(regularizers, name)(factor)
    with pytest.raises(ValueError, match="`l2` must be"):
        regularizers.L1L2(0.1, factor)


def test_orthogonal_regularizer_takes_matrices() -> None:
    with pytest.raises(ValueError, match=r"`mode` must be one of .*'row'"):
        regularizers.OrthogonalRegularizer(mode="row")
    with pytest.raises(ValueError, match=r"matrices only\. Received: shape=\(3,\)"):
        regularizers.OrthogonalRegularizer()(np.ones(3))
    assert regularizers.OrthogonalRegularizer()(np.ones((1, 3))) == 0.0, "no pair, no penalty"


def test_a_class_of_ones_own() -> None:
    class Sum(regularizers.Regularizer):
        def __call__(self, x: np.ndarray) -> float:
            return float(x.sum())

    made = regularizers.get(Sum)
    assert made is not None
    assert made(np.ones(3)) == 3.0
    with pytest.raises(TypeError, match="cannot be differentiated"):
        made.gradient(np.ones(3))
