"""LayerNormalization beyond what all layers are tested for: sizes, penalties, bad input."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from support.keras_twins import assert_same, assert_same_gradients, randomized


@pytest.mark.parametrize("scale", [True, False])
def test_rms_scaling(keras: ModuleType, rng: np.random.Generator, scale: bool) -> None:
    x = rng.normal(1, 2, (2, 3, 5)).astype("float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = keras.layers.LayerNormalization(rms_scaling=True, scale=scale)
        theirs.build(x.shape)
        with pytest.warns(UserWarning, match="deprecated"):
            ours = layers.LayerNormalization(rms_scaling=True, scale=scale)
        ours.build(x.shape)
        randomized(rng, theirs, ours)
        assert_same(ours(x), theirs(x))
        assert_same_gradients(rng, theirs, ours, x, None)
        assert ours.get_config()["rms_scaling"] is True
        assert layers.LayerNormalization.from_config(theirs.get_config()).rms_scaling


def test_a_mean_far_from_zero_costs_no_digits(rng: np.random.Generator) -> None:
    x = rng.normal(1000, 1, (4, 64))
    y = layers.LayerNormalization(epsilon=0.0)(x)
    rounded = x.astype("float32").astype("float64")
    centered = rounded - rounded.mean(axis=-1, keepdims=True)
    exact = centered / np.sqrt(np.square(centered).mean(axis=-1, keepdims=True))
    np.testing.assert_allclose(y, exact, atol=2e-4)


def test_regularizers_and_constraints_belong_to_the_weights(keras: ModuleType) -> None:
    arguments = {
        "beta_regularizer": "l2",
        "gamma_regularizer": "l1",
        "beta_constraint": "non_neg",
        "gamma_constraint": "max_norm",
        "beta_initializer": "ones",
    }
    ours = layers.LayerNormalization(**arguments)
    theirs = keras.layers.LayerNormalization(**arguments)
    for layer in (ours, theirs):
        layer.build((None, 3))
    assert ours.gamma is not None
    assert ours.beta is not None
    assert isinstance(ours.gamma.regularizer, fastrnn.regularizers.L1)
    assert isinstance(ours.beta.constraint, fastrnn.constraints.NonNeg)
    np.testing.assert_allclose(ours.losses, [float(each) for each in theirs.losses], rtol=1e-6)
    again = layers.LayerNormalization.from_config(theirs.get_config())
    assert again.axis == [-1]
    assert isinstance(again.gamma_regularizer, fastrnn.regularizers.L1)
    assert isinstance(again.gamma_constraint, fastrnn.constraints.MaxNorm)


@pytest.mark.parametrize("axis", ["1", 1.0, None, (), [1, "2"], True])
def test_axis(axis: Any) -> None:
    with pytest.raises(TypeError, match="`axis` must be an integer or a list"):
        layers.LayerNormalization(axis=axis)


@pytest.mark.parametrize("epsilon", [-1.0, "small", None])
def test_epsilon(epsilon: Any) -> None:
    with pytest.raises(ValueError, match=r"`epsilon` must be a number >= 0\.0"):
        layers.LayerNormalization(epsilon=epsilon)


@pytest.mark.parametrize(
    ("axis", "shape", "message"),
    [
        (3, (2, 3, 4), "must have the dimensions of `axis`, 3"),
        (-4, (2, 3, 4), "must have the dimensions of `axis`"),
        (-1, (2, None), "known sizes along `axis`"),
        ([1, -1], (2, 3), "given once"),
    ],
)
def test_shapes_that_do_not_fit(axis: Any, shape: Any, message: str) -> None:
    layer = layers.LayerNormalization(axis=axis)
    with pytest.raises(ValueError, match=message):
        layer.build(shape)
    assert not layer.built


def test_another_size_than_that_of_the_weights() -> None:
    layer = layers.LayerNormalization()
    layer(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"must have the sizes \(3,\).*shape=\(2, 4\)"):
        layer(np.ones((2, 4)))
