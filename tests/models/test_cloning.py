"""Copies of a model: the same layers with weights of their own."""

from __future__ import annotations

import numpy as np
import pytest
from fastrnn import layers, models
from fastrnn.layers import Layer


def nested() -> models.Sequential:
    inner = models.Sequential([layers.Dense(4, activation="tanh", name="inside")], name="inner")
    return models.Sequential([layers.Input((3, 2)), layers.GRU(5, name="gru"), inner])


def test_a_clone_has_the_same_layers_and_weights_of_its_own() -> None:
    model = nested()
    clone = models.clone_model(model)
    assert clone.get_config() == model.get_config()
    assert clone.built
    shapes = [weight.shape for weight in model.get_weights()]
    assert [weight.shape for weight in clone.get_weights()] == shapes
    for weight in clone.weights:
        weight.assign(np.zeros(weight.shape))
    assert np.any(model.get_weights()[0])


def test_a_clone_of_what_is_not_built_is_not_built_either() -> None:
    clone = models.clone_model(models.Sequential([layers.LSTM(3)]))
    assert not clone.built
    assert clone.predict(np.ones((2, 4, 5)), verbose=0).shape == (2, 3)


@pytest.mark.parametrize("recursive", [False, True])
def test_a_function_of_the_user_makes_the_layers(recursive: bool) -> None:
    seen = []

    def wider(layer: Layer) -> Layer:
        seen.append(layer.name)
        config = layer.get_config()
        if isinstance(layer, layers.Dense):
            config["units"] = 7
        return type(layer).from_config(config)

    clone = models.clone_model(nested(), clone_function=wider, recursive=recursive)
    assert ("inside" in seen) is recursive
    assert clone.output_shape == (None, 7 if recursive else 4)


def test_only_models_are_cloned() -> None:
    with pytest.raises(ValueError, match="`model` must be a model"):
        models.clone_model(layers.Dense(3))  # type: ignore[arg-type]
