"""Recurrent layers with activations that the kernels lack: the same equations, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, ops

RNG = np.random.default_rng(11)
X = RNG.normal(size=(6, 5, 3)).astype("float32")
X[1, 3:] = 0
X[4, 1:] = 0
Y = RNG.normal(size=(6, 1)).astype("float32")


def own_tanh(x: Any) -> Any:
    return ops.tanh(x)


def own_sigmoid(x: Any) -> Any:
    return ops.sigmoid(x)


def trained(layer: layers.Layer, masked: bool = True) -> list[Any]:
    below = [layers.Masking()] if masked else []
    model = fastrnn.Sequential([layers.Input((5, 3)), *below, layer, layers.Dense(1)])
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) * 0.5 for w in model.get_weights()])
    model.compile(fastrnn.optimizers.SGD(0.1), "mse")
    losses = model.fit(X, Y, epochs=3, batch_size=3, shuffle=False, verbose=0).history["loss"]
    return [losses, *model.get_weights(), model.predict(X, verbose=0)]


CELLS: dict[str, tuple[type[layers.Layer], dict[str, Any]]] = {
    "SimpleRNN": (layers.SimpleRNN, {}),
    "LSTM": (layers.LSTM, {}),
    "GRU": (layers.GRU, {}),
    "GRU before": (layers.GRU, {"reset_after": False}),
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no bias": {"use_bias": False},
    "backwards": {"go_backwards": True},
    "dropout": {"dropout": 0.4, "seed": 5},
}


@pytest.mark.parametrize("arguments", ARGUMENTS)
@pytest.mark.parametrize("cell", CELLS)
def test_functions_of_ones_own_compute_what_the_kernels_compute(cell: str, arguments: str) -> None:
    make, more = CELLS[cell]
    given = {**more, **ARGUMENTS[arguments]}
    own: dict[str, Any] = {"activation": own_tanh}
    if cell != "SimpleRNN":
        own["recurrent_activation"] = own_sigmoid
    for one, other in zip(trained(make(4, **given)), trained(make(4, **given, **own)), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-6)


def test_recurrent_dropout_has_a_mask_for_each_gate() -> None:
    given: dict[str, Any] = {"recurrent_dropout": 0.4, "seed": 5}
    one, other = (trained(layers.LSTM(4, **given, **own)) for own in ({}, {"activation": own_tanh}))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("wrap", ["Bidirectional", "RNN", "states"])
def test_around_such_layers(wrap: str) -> None:
    def made(**own: Any) -> layers.Layer:
        if wrap == "Bidirectional":
            return layers.Bidirectional(layers.LSTM(3, **own))
        if wrap == "RNN":
            return layers.RNN([layers.LSTMCell(3, **own), layers.GRUCell(2)])
        return layers.LSTM(3, **own)

    if wrap == "states":
        states = [RNG.normal(size=(6, 3)).astype("float32") for _ in range(2)]
        first, second = made(return_state=True), made(return_state=True, activation=own_tanh)
        second.build(X.shape)
        first.build(X.shape)
        second.set_weights(first.get_weights())
        for a, b in zip(
            first(X, initial_state=states), second(X, initial_state=states), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        return
    for a, b in zip(trained(made()), trained(made(activation=own_tanh)), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("activation", ["softmax", "gelu", layers.LeakyReLU(0.3)])
def test_files_keep_them(tmp_path: Path, activation: Any, suffix: str) -> None:
    model = fastrnn.Sequential([layers.Input((5, 3)), layers.GRU(4, activation=activation)])
    model.save(tmp_path / f"model{suffix}")
    loaded = fastrnn.models.load_model(tmp_path / f"model{suffix}")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("cell", "arguments"),
    [
        ("LSTM", {"activation": "softmax"}),
        ("LSTM", {"activation": "silu", "recurrent_activation": "hard_silu"}),
        ("GRU", {"activation": "gelu"}),
        ("GRU", {"activation": "mish", "reset_after": False}),
        ("SimpleRNN", {"activation": "softmax", "go_backwards": True}),
    ],
)
def test_training_is_that_of_keras(keras: Any, cell: str, arguments: dict[str, Any]) -> None:
    histories = []
    for library in (keras, fastrnn):
        of = library.layers
        model = library.Sequential(
            [of.Input((5, 3)), of.Masking(), getattr(of, cell)(4, **arguments), of.Dense(1)]
        )
        rng = np.random.default_rng(1)
        model.set_weights([rng.normal(size=w.shape) * 0.5 for w in model.get_weights()])
        model.compile(library.optimizers.SGD(0.1), "mse")
        histories.append(
            model.fit(X, Y, epochs=3, batch_size=3, shuffle=False, verbose=0).history["loss"]
        )
    np.testing.assert_allclose(histories[0], histories[1], rtol=1e-4)
