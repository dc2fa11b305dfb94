"""Dropout, SpatialDropout1D, GaussianDropout and GaussianNoise: their random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import kernels, layers

MAKE = {
    "Dropout": lambda **kwargs: layers.Dropout(0.3, **kwargs),
    "SpatialDropout1D": lambda **kwargs: layers.SpatialDropout1D(0.3, **kwargs),
    "GaussianDropout": lambda **kwargs: layers.GaussianDropout(0.3, **kwargs),
    "GaussianNoise": lambda **kwargs: layers.GaussianNoise(0.3, **kwargs),
}


@pytest.mark.parametrize("name", MAKE)
def test_it_repeats_by_seed_draws_anew_and_rests_without_training(name: str) -> None:
    x = np.ones((4, 5, 30), "float32")
    one, other = MAKE[name](seed=7), MAKE[name](seed=7)
    first = one(x, training=True)
    np.testing.assert_array_equal(first, other(x, training=True))
    assert np.abs(one(x, training=True) - first).max() > 0
    assert np.abs(MAKE[name](seed=8)(x, training=True) - first).max() > 0
    np.testing.assert_array_equal(one(x), x)


@pytest.mark.parametrize("name", MAKE)
def test_mean_and_deviation(name: str) -> None:
    x = np.full((40, 50, 40), 2.0, "float32")
    y = MAKE[name](seed=1)(x, training=True)
    deviation = 0.3 if name == "GaussianNoise" else 2 * np.sqrt(0.3 / 0.7)
    samples = y[:, 0].size if name == "SpatialDropout1D" else y.size
    assert abs(y.mean() - 2) < 5 * deviation / np.sqrt(samples)
    assert abs(y.std() - deviation) < 5 * deviation / np.sqrt(samples)


@pytest.mark.parametrize("name", MAKE)
def test_the_gradient_is_that_of_the_noise(name: str, rng: np.random.Generator) -> None:
    layer = MAKE[name](seed=3)
    x, d_y = rng.normal(size=(2, 3, 4, 5)).astype("float32")
    y, cache = layer.forward(x, True)
    d_x, d_weights = layer.backward(cache, d_y)
    assert d_weights == []
    factor = np.ones_like(x) if name == "GaussianNoise" else y / x
    np.testing.assert_allclose(d_x, d_y * factor, rtol=1e-5)


def test_dropped_elements_are_zero_whatever_they_were() -> None:
    y, cache = layers.Dropout(0.5, seed=4).forward(np.full((9, 50), np.inf, "float32"), True)
    assert set(np.unique(y)) == {0.0, np.inf}
    d_x, _ = layers.Dropout(0.5).backward(cache, np.ones_like(y))
    np.testing.assert_array_equal(d_x, np.where(y == 0, 0, 2))


def test_seeds_of_masks_are_drawn_one_after_the_other() -> None:
    x, layer = np.ones((4, 30), "float32"), layers.Dropout(0.3, seed=7)
    for seed in np.random.default_rng(7).integers(1 << 64, size=3, dtype=np.uint64):
        want = kernels.dropout(x, int(seed), 0.3)
        np.testing.assert_array_equal(layer(x, training=True), want)


def test_spatial_dropout_drops_a_feature_at_all_steps() -> None:
    y = layers.SpatialDropout1D(0.5, seed=2)(np.ones((6, 7, 20), "float32"), training=True)
    assert set(np.unique(y)) == {0.0, 2.0}
    np.testing.assert_array_equal(y, y[:, :1].repeat(7, axis=1))
    assert (y[0, 0] != y[1, 0]).any(), "each sequence has its own"


def test_rates_at_the_ends() -> None:
    x = np.ones((3, 4, 5), "float32")
    np.testing.assert_array_equal(layers.SpatialDropout1D(0)(x, training=True), x)
    assert not layers.SpatialDropout1D(1)(x, training=True).any()
    np.testing.assert_array_equal(layers.GaussianNoise(0)(x, training=True), x)
    with pytest.raises(ValueError, match=r"must be below 1.*rate=1"):
        layers.GaussianDropout(1)


@pytest.mark.parametrize("value", [-0.1, 1.1, "0.5", None])
def test_bad_rates(value: Any) -> None:
    for cls in (layers.SpatialDropout1D, layers.GaussianDropout, layers.GaussianNoise):
        with pytest.raises(ValueError, match="must be a number between 0 and 1"):
            cls(value)
        with pytest.raises(ValueError, match="`seed` must be an integer or None"):
            cls(0.5, seed="x")


def test_spatial_dropout_takes_sequences() -> None:
    with pytest.raises(ValueError, match=r"three dimensions.*shape=\(2, 3\)"):
        layers.SpatialDropout1D(0.5)(np.ones((2, 3)))


def test_a_noise_shape_must_fit_the_input() -> None:
    layer = layers.Dropout(0.5, noise_shape=(2, 1, 4))
    x = np.ones((2, 3, 4), "float32")
    assert layer(x, training=True).shape == x.shape
    with pytest.raises(ValueError, match=r"must be None, 1 or that of the input.*\(5, 3, 4\)"):
        layer(np.ones((5, 3, 4)), training=True)
    np.testing.assert_array_equal(layer(np.ones((5, 3, 4))), 1)
