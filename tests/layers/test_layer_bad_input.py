"""Bad input of layers: refused with what was expected and received, nothing changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import layers

X = np.ones((2, 3, 4), "float32")


@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU, layers.Dense])
@pytest.mark.parametrize("units", [0, -1, 2.0, "3", True, None])
def test_units(cls: Any, units: Any) -> None:
    with pytest.raises(ValueError, match=r"`units` must be a positive integer\. Received: units="):
        cls(units)


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (-1, 3), (2.5, 3)])
def test_sizes_of_an_embedding(sizes: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match="must be a positive integer"):
        layers.Embedding(*sizes)


@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU, layers.Dense])
def test_unknown_activation(cls: Any) -> None:
    with pytest.raises(ValueError, match=r"must be one of .*tanh.* Received: activation='tan'"):
        cls(3, activation="tan")


@pytest.mark.parametrize("cls", [layers.LSTM, layers.GRU])
def test_unknown_recurrent_activation(cls: Any) -> None:
    with pytest.raises(ValueError, match="'sigmoidal'"):
        cls(3, recurrent_activation="sigmoidal")
    with pytest.raises(ValueError, match="`glu` does not"):
        cls(3, recurrent_activation="glu")


def test_unknown_initializer() -> None:
    with pytest.raises(ValueError, match="'glorot'"):
        layers.LSTM(3, kernel_initializer="glorot")


@pytest.mark.parametrize(
    ("argument", "value"),
    [("dtype", "float16"), ("trainable", 1), ("use_cudnn", "no"), ("input_shape", 3)],
)
def test_arguments_of_a_wrong_kind(argument: str, value: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        layers.LSTM(3, **{argument: value})


@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[0], ValueError, r"three dimensions.*Received: shape=\(3, 4\)"),
        (X[..., None], ValueError, r"three dimensions.*Received: shape=\(2, 3, 4, 1\)"),
        (X[:, :0], ValueError, r"at least one step.*shape=\(2, 0, 4\)"),
        (X[..., :0], ValueError, r"at least one step and one feature.*shape=\(2, 3, 0\)"),
        (None, TypeError, "Received: inputs=None"),
        ([[["a"]]], TypeError, "real numbers"),
        (X * 1j, TypeError, "real numbers.*complex"),
        ([[[1.0], [2.0]], [[3.0]]], ValueError, "pad_sequences"),
        (np.array([[1], [1, 2]], dtype=object), ValueError, "pad_sequences"),
    ],
    ids=["2-D", "4-D", "no steps", "no features", "None", "text", "complex", "ragged", "object"],
)
def test_inputs_of_recurrent_layers(cls: Any, x: Any, error: type[Exception], message: str) -> None:
    layer = cls(5)
    with pytest.raises(error, match=message):
        layer(x)
    assert not layer.built
    assert layer.weights == []


@pytest.mark.parametrize(
    "layer", [layers.SimpleRNN(5), layers.LSTM(5), layers.GRU(5), layers.Dense(5)]
)
def test_features_that_do_not_match_the_kernel(layer: layers.Layer) -> None:
    layer(X)
    with pytest.raises(ValueError, match=r"must have 4 features.*shape=\(2, 3, 3\)"):
        layer(X[..., :3])


def test_a_dense_layer_needs_two_dimensions() -> None:
    with pytest.raises(ValueError, match=r"at least two dimensions.*shape=\(4,\)"):
        layers.Dense(2)(X[0, 0])


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[0, 5]], r"ids in \[0, 5\).*Received: id 5"),
        ([[0, -1]], "Received: id -1"),
        ([[0.5]], "Received: 0.5"),
        ([[float("nan")]], "Received: nan"),
        ([[1, 2], [3]], "pad_sequences"),
        (np.array([[2**63]], dtype="uint64"), "Received: id 9223372036854775808"),
    ],
)
def test_tokens(tokens: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        layers.Embedding(5, 2)(tokens)


@pytest.mark.parametrize(
    ("cls", "state", "message"),
    [
        (layers.LSTM, [np.ones((2, 5))], r"2 array\(s\), h, c\. Received: 1"),
        (layers.GRU, [np.ones((2, 5))] * 2, r"1 array\(s\), h\. Received: 2"),
        (layers.GRU, np.ones((3, 5)), r"\(2, 5\)\. Received: shape=\(3, 5\)"),
        (layers.SimpleRNN, [np.ones((2, 4))], r"\(2, 5\)\. Received: shape=\(2, 4\)"),
    ],
)
def test_initial_states(cls: Any, state: Any, message: str) -> None:
    layer = cls(5)
    with pytest.raises(ValueError, match=message):
        layer(X, initial_state=state)
    assert not layer.built


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (np.ones((3, 2), bool), ValueError, r"shape \(2, 3\), \(batch, steps\).*shape=\(3, 2\)"),
        (np.ones((2, 3, 1), bool), ValueError, r"Received: shape=\(2, 3, 1\)"),
        (True, ValueError, r"Received: shape=\(\)"),
        ([[True], [True, False]], ValueError, "rectangular"),
        (np.full((2, 3), "a"), TypeError, "real numbers"),
    ],
)
def test_masks(mask: Any, error: type[Exception], message: str) -> None:
    for layer in (layers.GRU(5), layers.Bidirectional(layers.LSTM(5))):
        with pytest.raises(error, match=message):
            layer(X, mask=mask)
        assert not layer.built
        assert layer.weights == []


@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("cls", [layers.SimpleRNN, layers.LSTM, layers.GRU])
@pytest.mark.parametrize("rate", [-0.1, 1.1, "0.5", None, float("nan")])
def test_rates_of_recurrent_layers(cls: Any, name: str, rate: Any) -> None:
    """Keras clips them to [0, 1]."""
    with pytest.raises(ValueError, match=f"`{name}` must be a number between 0 and 1.*{name}="):
        cls(3, **{name: rate})


@pytest.mark.parametrize("seed", [1.5, "1", True])
def test_seed_of_recurrent_layers(seed: Any) -> None:
    with pytest.raises(ValueError, match="`seed` must be an integer or None"):
        layers.GRU(3, dropout=0.1, seed=seed)


@pytest.mark.parametrize("rate", [-0.1, 1.1, "0.5", None, float("nan")])
def test_dropout_rate(rate: Any) -> None:
    with pytest.raises(ValueError, match="`rate` must be a number between 0 and 1"):
        layers.Dropout(rate)


def test_dropout_noise_shape() -> None:
    with pytest.raises(ValueError, match="positive integers and None"):
        layers.Dropout(0.5, noise_shape=(2, 0))
    with pytest.raises(ValueError, match="as many dimensions"):
        layers.Dropout(0.5, noise_shape=(2,))(X, training=True)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([np.zeros(3)], "list of 3 arrays.*Received: 1"),
        ([np.zeros((4, 20)), np.zeros((5, 20)), np.zeros(19)], r"\(20,\).*shape=\(19,\)"),
        ([np.zeros((4, 20)), np.zeros((20, 5)), np.zeros(20)], r"\(5, 20\).*shape=\(20, 5\)"),
    ],
)
def test_set_weights_of_a_wrong_shape_changes_nothing(weights: Any, message: str) -> None:
    layer = layers.LSTM(5)
    layer.build(X.shape)
    before = layer.get_weights()
    with pytest.raises(ValueError, match=message):
        layer.set_weights(weights)
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_initializer_of_a_wrong_shape_leaves_no_half_built_layer() -> None:
    layer = layers.LSTM(5, bias_initializer=lambda shape: np.zeros(3))
    with pytest.raises(ValueError, match="must return an array of shape"):
        layer(X)
    assert layer.weights == []
    assert not layer.built
    with pytest.raises(ValueError, match="needs a layer that is built"):
        layer.count_params()


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"shape": (3,), "batch_shape": (None, 3)},
        {"batch_size": 2, "batch_shape": (None, 3)},
        {"shape": 3},
        {"shape": (-1,)},
        {"shape": (3,), "sparse": True},
    ],
)
def test_input(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Received"):
        layers.Input(**arguments)
