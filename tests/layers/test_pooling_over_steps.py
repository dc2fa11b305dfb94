"""GlobalMaxPooling1D and GlobalAveragePooling1D where values are equal, masked or missing."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import layers
from support.keras_twins import assert_same, assert_same_gradients

MASK = np.array([[1, 1, 0], [0, 0, 0]], bool)


def test_equal_maxima_share_the_gradient(keras: ModuleType, rng: np.random.Generator) -> None:
    """Frequent above a masked recurrent layer, which repeats its outputs."""
    x = rng.integers(0, 2, (3, 6, 5)).astype("float32")
    theirs, ours = keras.layers.GlobalMaxPooling1D(), layers.GlobalMaxPooling1D()
    assert_same_gradients(rng, theirs, ours, x, None)


def test_the_mean_of_no_steps_is_nan_and_passes_no_gradient(
    keras: ModuleType, rng: np.random.Generator
) -> None:
    x = rng.normal(size=(2, 3, 4)).astype("float32")
    theirs, ours = keras.layers.GlobalAveragePooling1D(), layers.GlobalAveragePooling1D()
    assert_same(ours(x, mask=MASK), theirs(x, mask=MASK))
    assert np.isnan(ours(x, MASK)[1]).all()
    y, cache = ours.forward(x, True, MASK)
    d_x, _ = ours.backward(cache, np.ones_like(y))
    assert d_x is not None
    np.testing.assert_array_equal(d_x[1], 0)
    np.testing.assert_array_equal(d_x[0], [[0.5] * 4, [0.5] * 4, [0] * 4])


def test_what_stands_at_masked_steps_has_no_effect() -> None:
    x = np.ones((2, 3, 4), "float32")
    x[0, 2] = np.nan
    x[1] = np.inf
    np.testing.assert_array_equal(layers.GlobalAveragePooling1D()(x, mask=MASK)[0], 1)


def test_aliases() -> None:
    assert layers.GlobalAvgPool1D is layers.GlobalAveragePooling1D
    assert layers.GlobalMaxPool1D is layers.GlobalMaxPooling1D


@pytest.mark.parametrize("cls", [layers.GlobalMaxPooling1D, layers.GlobalAveragePooling1D])
@pytest.mark.parametrize(
    ("arguments", "shape", "message"),
    [
        ({}, (2, 3), r"\(batch, steps, features\).*shape=\(2, 3\)"),
        ({}, (2, 0, 3), r"at least one step.*shape=\(2, 0, 3\)"),
        ({"data_format": "channels_first"}, (2, 3, 0), r"\(batch, features, steps\).*2, 3, 0"),
    ],
)
def test_shapes_that_do_not_fit(cls: Any, arguments: Any, shape: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(**arguments)(np.ones(shape))


@pytest.mark.parametrize(
    "cls", [layers.GlobalMaxPooling1D, layers.GlobalAveragePooling1D, layers.Flatten]
)
def test_data_format(cls: Any) -> None:
    assert cls("Channels_First").data_format == "channels_first"
    with pytest.raises(ValueError, match=r"`data_format` must be .* Received: data_format='last'"):
        cls("last")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_mask_of_another_shape(data_format: str) -> None:
    x = np.ones((2, 3, 4), "float32")
    steps = 3 if data_format == "channels_last" else 4
    with pytest.raises(ValueError, match=rf"`mask` must have shape \(2, {steps}\)"):
        layers.GlobalAveragePooling1D(data_format)(x, mask=np.ones((2, 7 - steps)))
