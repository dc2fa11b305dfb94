"""Files between fastrnn and live Keras, both ways: equal predictions, and training that goes on."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn.models import load_model
from support.saved_models import LABELS, TOKENS, small_model

SEQUENCES = np.random.default_rng(5).normal(size=(4, 5, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def quiet(keras: Any):
    """Keras warns about its own format `.h5`, and about masks that end at a model in a model."""
    logging.getLogger("absl").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def assert_close(one: Any, other: Any, rtol: float = 2e-5, atol: float = 2e-6) -> None:
    np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def assert_same_steps(ours: Any, theirs: Any, x: np.ndarray, steps: int = 3) -> None:
    """Train both on and compare losses and weights: state of the optimizers and settings agree."""
    theirs.run_eagerly = True
    for _ in range(steps):
        one = ours.train_on_batch(x, LABELS, return_dict=True)
        other = theirs.train_on_batch(x, LABELS, return_dict=True)
        assert one["loss"] == pytest.approx(float(other["loss"]), rel=1e-4)
        assert set(one) == set(other)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_keras_loads_what_fastrnn_saved(keras: Any, tmp_path: Path) -> None:
    ours = small_model()
    for end in (".keras", ".h5"):
        ours.save(tmp_path / f"model{end}")
        theirs = keras.models.load_model(tmp_path / f"model{end}")
        assert_close(ours.predict(TOKENS, verbose=0), theirs.predict(TOKENS, verbose=0))
        assert theirs.optimizer.name == ours.optimizer.name
        assert theirs.loss is not None
    # Keras 3.15 cannot train on from an .h5, its own or another: it builds the optimizer for no
    # variables. Hence only from the other format.
    theirs = keras.models.load_model(tmp_path / "model.keras")
    assert int(theirs.optimizer.iterations) == 1
    for slot, mine in zip(theirs.optimizer.variables[2:], ours.optimizer.slots, strict=True):
        np.testing.assert_array_equal(np.asarray(slot), mine.value)
    ours.save_weights(tmp_path / "model.weights.h5")
    theirs.set_weights([np.zeros(w.shape) for w in theirs.get_weights()])
    theirs.load_weights(tmp_path / "model.weights.h5")
    assert_close(ours.predict(TOKENS, verbose=0), theirs.predict(TOKENS, verbose=0))
    assert [layer.name for layer in theirs.layers] == [layer.name for layer in ours.layers]


OPTIMIZERS = {
    "SGD": {"momentum": 0.9},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Nadam": {},
    "AdamW": {"amsgrad": True, "global_clipnorm": 1.0},
    "Adagrad": {},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_in_keras_and_back(keras: Any, tmp_path: Path, name: str) -> None:
    def make(api: Any) -> Any:
        layers = api.layers
        members = [
            layers.Input((5, 2)),
            layers.GRU(3, return_sequences=True, reset_after=False),
            layers.LayerNormalization(),
            layers.LSTM(
                2, go_backwards=True, kernel_regularizer="l2", recurrent_constraint="max_norm"
            ),
            layers.Dense(1, activation="sigmoid"),
        ]
        model = api.Sequential(members, name="both")
        model.compile(
            getattr(api.optimizers, name)(0.05, **OPTIMIZERS[name]),
            api.losses.BinaryCrossentropy(label_smoothing=0.1),
            metrics=["accuracy", api.metrics.AUC(num_thresholds=7, name="area")],
            weighted_metrics=["mse"],
        )
        return model

    ours = make(fastrnn)
    ours.train_on_batch(SEQUENCES, LABELS)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    assert_same_steps(ours, theirs, SEQUENCES)
    for end in (".keras", ".h5"):
        theirs.save(tmp_path / f"theirs{end}")
    back, old = (load_model(tmp_path / f"theirs{end}") for end in (".keras", ".h5"))
    assert back.optimizer.iterations == old.optimizer.iterations == 4
    for a, b in zip(back.get_weights(), old.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(back.optimizer.slots, old.optimizer.slots, strict=True):
        np.testing.assert_array_equal(a.value, b.value)
    assert_same_steps(back, theirs, SEQUENCES)


def test_functional_chains_of_keras_load(keras: Any, tmp_path: Path) -> None:
    layers = keras.layers
    inputs = layers.Input((5,))
    x = layers.Embedding(21, 3, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(x)
    x = layers.Dropout(0.5)(x)
    x = layers.TimeDistributed(layers.Dense(3))(x)
    theirs = keras.Model(inputs, layers.Dense(1)(layers.GRU(2)(x)))
    theirs.compile("sgd", "mean_squared_error")
    for end in (".keras", ".h5"):
        theirs.save(tmp_path / f"model{end}")
        ours = load_model(tmp_path / f"model{end}")
        assert_close(ours.predict(TOKENS, verbose=0), theirs.predict(TOKENS, verbose=0))
    theirs.save_weights(tmp_path / "model.weights.h5")
    ours.set_weights([np.zeros(w.shape) for w in ours.weights])
    ours.load_weights(tmp_path / "model.weights.h5")
    assert_close(ours.predict(TOKENS, verbose=0), theirs.predict(TOKENS, verbose=0))


def _branches(layers: Any, x: Any) -> Any:
    return layers.GRU(2)(x, initial_state=layers.GRU(2)(x))


def _shared(layers: Any, x: Any) -> Any:
    shared = layers.GRU(2, return_sequences=True)
    return shared(shared(x))


def _state(layers: Any, x: Any) -> Any:
    _, state = layers.GRU(2, return_state=True)(x)
    return state


def _initial_state(layers: Any, x: Any) -> Any:
    start = layers.GlobalMaxPooling1D()(x)
    return layers.GRU(2)(x, initial_state=start)


def _own_mask(layers: Any, x: Any) -> Any:
    from keras import ops

    return layers.GRU(2)(x, mask=ops.any(ops.not_equal(x, 3.0), axis=-1))


@pytest.mark.parametrize("make", [_branches, _shared, _state, _initial_state])
def test_graphs_of_keras_load(keras: Any, tmp_path: Path, make: Any) -> None:
    inputs = keras.layers.Input((5, 2))
    theirs = keras.Model(inputs, make(keras.layers, inputs))
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("f4")
    for end in (".keras", ".h5"):
        theirs.save(tmp_path / f"model{end}")
        ours = load_model(tmp_path / f"model{end}")
        assert len(ours.weights) == len(theirs.weights)
        assert_close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0))


def test_a_mask_of_one_s_own_is_an_operation(
    keras: Any, rng: np.random.Generator, tmp_path: Path
) -> None:
    inputs = keras.layers.Input((5, 2))
    theirs = keras.Model(inputs, _own_mask(keras.layers, inputs))
    theirs.save(tmp_path / "model.keras")
    x = rng.normal(size=(6, 5, 2)).astype("float32")
    x[:3, 1:3] = 3  # masked: with any other value the outputs differ
    ours = load_model(tmp_path / "model.keras")
    wanted = theirs.predict(x, verbose=0)
    assert_close(ours.predict(x, verbose=0), wanted)
    assert not np.allclose(ours.layers[-1](x)[:3], wanted[:3], atol=1e-3)
    ours.save(tmp_path / "again.keras")
    again = keras.models.load_model(tmp_path / "again.keras")
    assert_close(again.predict(x, verbose=0), wanted)


def test_json_of_keras_and_json_for_keras(keras: Any) -> None:
    ours = small_model()
    theirs = keras.models.model_from_json(ours.to_json())
    assert theirs.count_params() == sum(weight.value.size for weight in ours.weights)
    again = fastrnn.models.model_from_json(theirs.to_json())
    assert [layer.name for layer in again.layers] == [layer.name for layer in ours.layers]
    assert again.layers[1].get_config() == ours.layers[1].get_config()
    assert again.metrics_names == fastrnn.models.model_from_json(ours.to_json()).metrics_names
