"""Subclasses of built-in layers that override `call` alone: traced around `super().call(...)`."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models
from support.keras_twins import paths, randomized

RNG = np.random.default_rng(11)
TOKENS = RNG.integers(0, 20, (24, 9))
TOKENS[5:9, 4:] = 0
LABELS = RNG.integers(0, 2, 24).astype(np.float32)
X = RNG.normal(size=(24, 9, 3)).astype(np.float32)
Y = RNG.normal(size=(24, 1)).astype(np.float32)


def classes(library: Any) -> dict[str, Any]:
    """Return subclasses of layers by their names.

    Args:
        library: `fastrnn`, or `keras`.
    """
    base = library.layers

    class Halved(base.Embedding):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return super().call(inputs) * 0.5

    class Doubled(base.LSTM):  # type: ignore[misc]
        def call(
            self, sequences: Any, mask: Any = None, training: Any = None, initial_state: Any = None
        ) -> Any:
            return super().call(
                sequences * 2.0, mask=mask, training=training, initial_state=initial_state
            )

    class Shifted(base.BatchNormalization):  # type: ignore[misc]
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return super().call(inputs, training=training, mask=mask) + 1.0

    class Damped(base.Dense):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return 0.9 * super().call(inputs)

    class Twice(base.Dense):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return super().call(super().call(inputs) + inputs)

    class AlwaysDropped(base.Dropout):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return super().call(inputs, training=True)

    return {name: each for name, each in locals().items() if isinstance(each, type)}


OWN = classes(fastrnn)


def graph(library: Any) -> Any:
    """Return a model of such layers: tokens, a mask, a directed pair, a score behind a sigmoid."""
    own = OWN if library is fastrnn else classes(library)
    tokens = library.Input((9,), dtype="int32")
    x = own["Halved"](20, 5, mask_zero=True)(tokens)
    x = own["Doubled"](6, return_sequences=True, kernel_regularizer="l2")(x)
    x = library.layers.Bidirectional(library.layers.GRU(4))(x)
    x = own["Shifted"]()(x)
    x = own["Twice"](8, activation="tanh", activity_regularizer="l2")(x)
    return library.Model(tokens, own["Damped"](1, activation="sigmoid")(x))


def test_models_train_as_in_keras(keras: ModuleType, rng: np.random.Generator) -> None:
    theirs, ours = graph(keras), graph(fastrnn)
    assert paths(theirs) == paths(ours)
    randomized(rng, theirs, ours)
    for model in (theirs, ours):
        variance = next(each for each in model.weights if "moving_variance" in each.path)
        variance.assign(np.abs(np.asarray(variance)) + 0.5)
    for library, model in ((keras, theirs), (fastrnn, ours)):
        model.compile(library.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    expected, found = (model.predict(TOKENS, verbose=0) for model in (theirs, ours))
    np.testing.assert_allclose(found, expected, atol=2e-6)
    histories = [
        model.fit(TOKENS, LABELS, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        for model in (theirs, ours)
    ]
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-5)
    for expected, found in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_dropout_that_is_always_active() -> None:
    losses = []
    for dropout in (OWN["AlwaysDropped"], layers.Dropout):
        model = models.Sequential(
            [layers.Input((9, 3)), layers.LSTM(8, seed=1), dropout(0.5, seed=3), layers.Dense(1)]
        )
        model.set_weights([np.random.default_rng(2).normal(size=w.shape) for w in model.weights])
        model.compile("sgd", "mse")
        losses.append(model.fit(X, Y, epochs=2, shuffle=False, verbose=0).history["loss"])
        first, second = (model.predict(X, verbose=0) for _ in range(2))
        assert (first != second).any() == (dropout is not layers.Dropout)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
    dropped = OWN["AlwaysDropped"](0.25)(np.ones((100, 100)))
    assert abs((dropped == 0).mean() - 0.25) < 0.03


def test_stateful_layers_keep_their_states() -> None:
    plain = layers.LSTM(4, stateful=True)
    own = OWN["Doubled"](4, stateful=True)
    plain.build((24, 9, 3))
    own.build((24, 9, 3))
    own.set_weights(plain.get_weights())
    for _ in range(2):
        np.testing.assert_array_equal(own(X), plain(2 * X))
    own.reset_state()
    plain.reset_state()
    np.testing.assert_array_equal(own(X), plain(2 * X))


def test_initial_states_and_the_order_of_the_arguments() -> None:
    own = OWN["Doubled"](4)
    states = [RNG.normal(size=(24, 4)).astype(np.float32) for _ in range(2)]
    found = own(X, initial_state=states)
    plain = layers.LSTM(4)
    plain.build((None, 9, 3))
    plain.set_weights(own.get_weights())
    np.testing.assert_array_equal(found, plain(2 * X, initial_state=states))
    assert (found != own(X)).any()


def test_steps_apart() -> None:
    own = OWN["Damped"](2, activation="tanh")
    apart = layers.TimeDistributed(own)
    np.testing.assert_allclose(apart(X), own(X), atol=1e-6)
    model = models.Sequential([layers.Input((9, 3)), apart, layers.LSTM(3), layers.Dense(1)])
    model.compile("adam", "mse")
    before = own.get_weights()
    model.fit(X, Y, verbose=0)
    assert all((a != b).all() for a, b in zip(before, own.get_weights(), strict=True))


@pytest.mark.parametrize("kind", ["pickle", "file"])
def test_saved_and_loaded(tmp_path: Path, kind: str) -> None:
    model = graph(fastrnn)
    if kind == "pickle":
        layer = Module(3)
        expected = layer(X)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(layer))(X), expected)
        return
    model.save(tmp_path / "own.keras")
    loaded = models.load_model(tmp_path / "own.keras", custom_objects=OWN)
    np.testing.assert_array_equal(
        loaded.predict(TOKENS, verbose=0), model.predict(TOKENS, verbose=0)
    )


class Module(layers.Dense):
    """One that a pickle finds."""

    def call(self, inputs: Any) -> Any:
        return 3 * super().call(inputs)


def test_a_bidirectional_refuses_what_it_would_not_call() -> None:
    with pytest.raises(ValueError, match="`call` of your own"):
        layers.Bidirectional(OWN["Doubled"](3))
