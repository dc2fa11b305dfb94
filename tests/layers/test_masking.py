"""Masking: which steps it masks, for whom, and what passes."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from support.keras_twins import assert_same, randomized


def test_layers_above_skip_its_steps(keras: ModuleType, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 5, 2)).astype("float32")
    x[0, 3:] = x[1, ::2] = -1.0
    x[2] = -1.0

    def model(lib: Any) -> Any:
        stack = [lib.layers.Masking(-1.0), lib.layers.Dropout(0.5), lib.layers.LSTM(4)]
        return lib.Sequential(stack)

    theirs, ours = model(keras), model(fastrnn)
    theirs.build(x.shape)
    ours.build(x.shape)
    randomized(rng, theirs, ours)
    assert_same(ours(x), theirs(x))
    lstm = layers.LSTM(4)
    lstm.build(x.shape)
    lstm.set_weights(ours.get_weights())
    np.testing.assert_array_equal(ours(x)[1:2], lstm(x[1:2, 1::2]))


def test_the_value_is_compared_in_float32() -> None:
    x = np.array([[[0.1, 0.1], [0.1, 0.2]]])
    np.testing.assert_array_equal(layers.Masking(0.1).compute_mask(x.astype("f")), [[False, True]])


def test_masked_steps_become_zeros_and_get_no_gradient() -> None:
    x = np.array([[[5.0, 5.0], [5.0, 2.0]]], "float32")
    y, cache = layers.Masking(5).forward(x)
    np.testing.assert_array_equal(y, [[[0, 0], [5, 2]]])
    d_x, _ = layers.Masking(5).backward(cache, np.ones_like(x))
    np.testing.assert_array_equal(d_x, [[[0, 0], [1, 1]]])


@pytest.mark.parametrize("value", ["0", None, [0.0]])
def test_mask_value(value: Any) -> None:
    with pytest.raises(ValueError, match="`mask_value` must be a number"):
        layers.Masking(value)


def test_inputs_need_features() -> None:
    with pytest.raises(ValueError, match=r"at least two dimensions.*shape=\(3,\)"):
        layers.Masking()(np.ones(3))


@pytest.mark.parametrize(
    "layer",
    [
        layers.Flatten(),
        layers.Permute((2, 1)),
        layers.Reshape((-1,)),
        layers.GlobalMaxPooling1D(),
        layers.SpatialDropout1D(0.5),
        layers.LayerNormalization(),
        layers.ReLU(),
    ],
)
def test_a_mask_that_ends_is_announced_as_in_keras(keras: ModuleType, layer: Any) -> None:
    x = np.ones((2, 3, 4), "float32")
    config = {key: value for key, value in layer.get_config().items() if key != "name"}
    theirs = keras.Sequential(
        [keras.layers.Masking(), getattr(keras.layers, type(layer).__name__)(**config)]
    )
    ours = fastrnn.Sequential([layers.Masking(), layer])
    warns = not layer.supports_masking
    for model in (theirs, ours):
        if warns:
            with pytest.warns(UserWarning, match="mask"):
                model(x)
        else:
            model(x)
