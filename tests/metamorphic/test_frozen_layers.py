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


def moved(model: Any) -> list[bool]:
    """Which layers training moves, those inside others for themselves."""
    leaves = [each for each in inside(model) if not each._sublayers()]
    before = [leaf.get_weights() for leaf in leaves]
    trained(model)
    return [
        not all(np.array_equal(a, b) for a, b in zip(leaf.get_weights(), old, strict=True))
        for leaf, old in zip(leaves, before, strict=True)
    ]


def test_a_layer_thawed_in_a_frozen_model_is_trained_with_the_model_around_both() -> None:
    lower, model = nested()
    lower.trainable = False
    assert moved(model) == [False, False, False, True, True]
    lower.layers[0].backward_layer.trainable = True
    assert moved(model) == [False, True, False, True, True]  # as in Keras 3
    assert lower.trainable_weights == []
    lower.trainable = True
    assert moved(model) == [True] * 5
    model.trainable = False
    lower.trainable = True
    assert moved(model) == [False] * 5  # which is not trained itself


@pytest.mark.parametrize("frozen", ["wrapper", "step", "model", "graph"])
def test_frozen_by_the_constructor_is_frozen(frozen: str) -> None:
    sizes = {"return_sequences": True}
    made: dict[str, Any] = {
        "wrapper": lambda: layers.Bidirectional(layers.GRU(2, **sizes), trainable=False),
        "step": lambda: layers.TimeDistributed(layers.Dense(2), trainable=False),
        "model": lambda: models.Sequential([layers.GRU(2, **sizes)], trainable=False),
        "graph": lambda: models.Model(
            *(lambda x: (x, layers.GRU(2, **sizes)(x)))(layers.Input((4, 3))), trainable=False
        ),
    }
    layer = made[frozen]()
    model = models.Sequential([layers.Input((4, 3)), layer, layers.GRU(1)])
    assert not any(moved(model)[:-1])
    for copied in (models.clone_model(model), models.model_from_json(model.to_json())):
        assert not any(moved(copied)[:-1])
    layer.trainable = True
    assert all(moved(model)[-2:])


def test_copies_keep_what_is_thawed_inside() -> None:
    lower, model = nested()
    lower.trainable = False
    lower.layers[0].backward_layer.trainable = True
    for copied in (models.clone_model(model), models.model_from_json(model.to_json())):
        assert [layer.trainable for layer in inside(copied)] == [
            layer.trainable for layer in inside(model)
        ]
        assert moved(copied) == [False, True, False, True, True]
    model.trainable = False
    for layer in model.layers:
        layer.trainable = True
    for copied in (models.clone_model(model), models.model_from_json(model.to_json())):
        assert copied.trainable_weights == []  # though its layers are not frozen
        copied.trainable = True
        assert len(copied.trainable_weights) == len(model.weights)


def test_thawing_leaves_alone_what_has_no_gradient() -> None:
    model = models.Sequential([layers.Input((3,)), layers.BatchNormalization()])
    names = [weight.path.rpartition("/")[2] for weight in model.trainable_weights]
    assert names == ["gamma", "beta"]
    model.trainable = False
    model.trainable = True
    assert [weight.path.rpartition("/")[2] for weight in model.trainable_weights] == names


@pytest.mark.parametrize("place", range(2))
def test_a_single_frozen_weight_stays_and_the_others_get_their_gradients(place: int) -> None:
    def made() -> models.Sequential:
        model = models.Sequential(
            [layers.Input((4, 2)), layers.SimpleRNN(2, use_bias=False), layers.Dense(1)]
        )
        rng = np.random.default_rng(7)
        model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])
        model.compile("sgd", "mse")
        return model

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(4, 4, 2)), rng.normal(size=(4, 1))
    whole, part = made(), made()
    names = [weight.path.rpartition("/")[2] for weight in part.weights]
    frozen = part.layers[0].weights[place]
    frozen.trainable = False
    assert [weight.path.rpartition("/")[2] for weight in part.weights] == names
    before = part.get_weights()
    for model in (whole, part):
        model.train_on_batch(x, y)
    for number, (a, b) in enumerate(zip(part.get_weights(), whole.get_weights(), strict=True)):
        np.testing.assert_array_equal(a, before[number] if number == place else b)
    part.layers[0].trainable = True
    assert part.trainable_weights == part.weights


def test_a_layer_thawed_alone_is_trained() -> None:
    _, model = nested()
    for layer in model.layers:
        layer.trainable = False
    model.layers[-1].trainable = True
    assert model.trainable_weights == model.layers[-1].weights
