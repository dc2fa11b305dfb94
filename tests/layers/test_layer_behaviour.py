"""Layers besides their sums: names, weights, conversions, empty batches, dropout, configs."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn.layers
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.naming import to_snake_case

MADE: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("SimpleRNN", (4,), {"activation": "relu", "return_sequences": True, "trainable": False}),
    ("LSTM", (4,), {"unit_forget_bias": False, "recurrent_activation": "hard_sigmoid"}),
    ("GRU", (4,), {"reset_after": False, "go_backwards": True, "seed": 3}),
    ("LSTM", (4,), {"dropout": 0.25, "recurrent_dropout": 0.5, "zero_output_for_mask": True}),
    ("Dense", (4,), {"activation": "softmax", "use_bias": False}),
    ("Dropout", (0.3,), {"noise_shape": (None, 1, None), "seed": 7}),
    ("Embedding", (9, 4), {"embeddings_initializer": "glorot_normal", "mask_zero": True}),
]


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (np.arange(24.0).reshape(2, 3, 4), "float64"),
        (np.arange(24).reshape(2, 3, 4), "int64"),
        (np.asfortranarray(np.arange(24.0, dtype="f").reshape(2, 3, 4)), "Fortran order"),
        (np.arange(48.0, dtype="f").reshape(2, 3, 8)[..., ::2] / 2, "strided"),
        (np.arange(24.0).reshape(2, 3, 4).tolist(), "lists"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU, layers.Dense])
def test_any_real_array_is_converted(cls: Any, x: Any, name: str) -> None:
    layer = cls(5)
    wanted = layer(np.arange(24, dtype="float32").reshape(2, 3, 4))
    np.testing.assert_array_equal(layer(x), wanted)


@pytest.mark.parametrize(
    ("layer", "shape", "wanted"),
    [
        (layers.LSTM(5), (0, 3, 4), (0, 5)),
        (layers.GRU(5, return_sequences=True), (0, 3, 4), (0, 3, 5)),
        (layers.Dense(5), (0, 4), (0, 5)),
        (layers.Dropout(0.5), (0, 4), (0, 4)),
        (layers.Embedding(5, 2), (0, 3), (0, 3, 2)),
    ],
)
def test_an_empty_batch_gives_an_empty_result(
    layer: layers.Layer, shape: tuple[int, ...], wanted: tuple[int, ...]
) -> None:
    result = layer(np.zeros(shape))
    assert result.shape == wanted
    assert result.dtype == np.float32


def test_an_empty_batch_gives_empty_states() -> None:
    parts = layers.LSTM(5, return_state=True)(np.zeros((0, 3, 4)))
    assert [part.shape for part in parts] == [(0, 5)] * 3


def test_names_count_up_in_snake_case() -> None:
    first, second = layers.SimpleRNN(2).name, layers.SimpleRNN(2).name
    assert first.startswith("simple_rnn")
    assert int(second.rpartition("_")[2]) == int((first + "_0").split("_")[2]) + 1
    assert layers.LSTM(2, name="mine").name == "mine"
    names = ("SimpleRNN", "LSTM", "GRU", "InputLayer", "GlorotUniform", "Dense")
    snakes = ("simple_rnn", "lstm", "gru", "input_layer", "glorot_uniform", "dense")
    assert tuple(map(to_snake_case, names)) == snakes


@pytest.mark.parametrize(
    ("layer", "names", "shapes"),
    [
        (layers.SimpleRNN(5), ["kernel", "recurrent_kernel", "bias"], [(4, 5), (5, 5), (5,)]),
        (layers.LSTM(5), ["kernel", "recurrent_kernel", "bias"], [(4, 20), (5, 20), (20,)]),
        (layers.GRU(5), ["kernel", "recurrent_kernel", "bias"], [(4, 15), (5, 15), (2, 15)]),
        (layers.GRU(5, reset_after=False, use_bias=False), ["kernel", "recurrent_kernel"], None),
        (layers.Dense(5), ["kernel", "bias"], [(4, 5), (5,)]),
    ],
)
def test_weights(layer: layers.Layer, names: list[str], shapes: Any) -> None:
    assert layer.weights == []
    layer.build((None, 3, 4))
    assert [w.name for w in layer.weights] == names
    if shapes is not None:
        assert [w.shape for w in layer.weights] == shapes
        assert layer.count_params() == sum(int(np.prod(shape)) for shape in shapes)
    layer.trainable = False
    assert layer.trainable_weights == []
    assert layer.non_trainable_weights == layer.weights


def test_the_bias_of_the_forget_gate_starts_at_one() -> None:
    layer = layers.LSTM(3)
    layer.build((None, 2, 2))
    np.testing.assert_array_equal(layer.get_weights()[2], [0] * 3 + [1] * 3 + [0] * 6)
    layer = layers.LSTM(3, unit_forget_bias=False, bias_initializer="ones")
    layer.build((None, 2, 2))
    np.testing.assert_array_equal(layer.get_weights()[2], np.ones(12))


def test_get_weights_returns_copies_and_set_weights_takes_them(rng: np.random.Generator) -> None:
    layer = layers.GRU(3)
    layer.build((None, 2, 2))
    array = layer.weights[0].value
    new = [rng.normal(size=w.shape) for w in layer.weights]
    layer.set_weights(new)
    assert layer.weights[0].value is array, "kernels and optimizers keep references"
    layer.get_weights()[0][:] = 0
    for one, other in zip(layer.get_weights(), new, strict=True):
        np.testing.assert_array_equal(one, other.astype("float32"))


def test_an_embedding_starts_from_given_weights(rng: np.random.Generator) -> None:
    table = rng.normal(size=(4, 3)).astype("float32")
    for weights in (table, [table]):
        layer = layers.Embedding(4, 3, weights=weights)
        np.testing.assert_array_equal(layer([[3, 0]]), table[[[3, 0]]])
    with pytest.raises(ValueError, match="Received: shape"):
        layers.Embedding(3, 3, weights=table)


def test_dropout_keeps_the_mean_and_the_gradient_its_mask(rng: np.random.Generator) -> None:
    layer = layers.Dropout(0.25, seed=1)
    x = rng.normal(size=(200, 50)).astype("float32")
    y, cache = layer.forward(x, training=True)
    mask = layer.backward(cache, np.ones_like(x))[0]
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((mask == 0).mean() - 0.25) < 0.02
    np.testing.assert_array_equal(y, x * mask)
    d_x, gradients = layer.backward(cache, x)
    np.testing.assert_array_equal(d_x, x * mask)
    assert gradients == []
    assert np.abs(layer(x, training=True) - y).max() > 0, "each call draws a new mask"
    np.testing.assert_array_equal(layer(x), x)


def test_dropout_repeats_by_seed_and_shares_by_noise_shape() -> None:
    x = np.ones((3, 40, 2), "float32")
    one, other = (layers.Dropout(0.5, seed=5)(x, training=True) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    shared = layers.Dropout(0.5, noise_shape=(None, 1, 2))(x, training=True)
    np.testing.assert_array_equal(shared, shared[:, :1].repeat(40, axis=1))
    assert not layers.Dropout(1.0)(x, training=True).any()


@pytest.mark.parametrize(("name", "args", "kwargs"), MADE, ids=[made[0] for made in MADE])
def test_configs_go_to_keras_and_back(
    keras: ModuleType, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    ours = getattr(fastrnn.layers, name)(*args, **kwargs)
    config = ours.get_config()
    assert type(ours).from_config(config).get_config() == config
    theirs = getattr(keras.layers, name).from_config(config)
    assert type(ours).from_config(theirs.get_config()).get_config() == config
    for key, value in kwargs.items():
        found = theirs.get_config()[key]
        if isinstance(found, dict):  # an initializer
            assert to_snake_case(found["class_name"]) == value
        else:
            assert found == value


def test_serialized_layers_are_made_again() -> None:
    layer = layers.LSTM(4, go_backwards=True, name="mine")
    again = layers.deserialize(layers.serialize(layer))
    assert isinstance(again, layers.LSTM)
    assert again.get_config() == layer.get_config()
    with pytest.raises(ValueError, match="'Conv9D'"):
        layers.deserialize({"class_name": "Conv9D", "config": {}})
