"""Frozen layers do not move, however they were frozen; the others do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import layers, models


def nested() -> tuple[models.Sequential, models.Sequential]:
    lower = models.Sequential(
        [
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(2)),
        ]
    )
    return lower, models.Sequential([layers.Input((4, 3)), lower, layers.GRU(2), layers.Dense(1)])


def inside(layer: Any) -> list[Any]:
    found = [layer]
    for each in layer._sublayers():
        found += inside(each)
    return found


def trained(model: Any) -> None:
    rng = np.random.default_rng(2)
    model.compile("sgd", "mse")
    model.fit(rng.normal(size=(4, 4, 3)), rng.normal(size=(4, 1)), epochs=2, verbose=0)


@pytest.mark.parametrize("place", range(3))
def test_a_frozen_layer_stays(place: int) -> None:
    _, model = nested()
    before = [layer.get_weights() for layer in model.layers]
    model.layers[place].trainable = False
    trained(model)
    for number, (layer, old) in enumerate(zip(model.layers, before, strict=True)):
        same = all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), old, strict=True))
        assert same == (number == place)


def test_freezing_reaches_all_layers_inside_and_so_does_the_way_back() -> None:
    lower, model = nested()
    model.trainable = False
    assert not any(layer.trainable for layer in inside(model))
    assert model.trainable_weights == []
    model.layers[-1].trainable = True
    assert model.trainable_weights == []  # as in Keras, the model itself is frozen
    model.trainable = True
    assert all(layer.trainable for layer in inside(model))
    lower.trainable = False
    before = lower.get_weights()
    trained(model)
    for a, b in zip(lower.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    lower.layers[0].trainable = True  # a part of a frozen model stays frozen with it
    assert lower.trainable_weights == []


def test_a_layer_thawed_alone_is_trained() -> None:
    _, model = nested()
    for layer in model.layers:
        layer.trainable = False
    model.layers[-1].trainable = True
    assert model.trainable_weights == model.layers[-1].weights
