"""The encoder and decoder of Keras's guide: training, inference step by step, shared weights."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest

TOKENS, GOAL_TOKENS, UNITS, BATCH, LENGTH = 6, 5, 7, 8, 4


def models(k: ModuleType) -> tuple[Any, Any, Any]:
    """The model to train, the encoder, and the decoder with states in and out."""
    source = k.Input((None, TOKENS))
    _, h, c = k.layers.LSTM(UNITS, return_state=True)(source)
    goal = k.Input((None, GOAL_TOKENS))
    lstm = k.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    outputs, _, _ = lstm(goal, initial_state=[h, c])
    dense = k.layers.Dense(GOAL_TOKENS, activation="softmax")
    trained = k.Model([source, goal], dense(outputs))
    states = [k.Input((UNITS,)), k.Input((UNITS,))]
    outputs, h_next, c_next = lstm(goal, initial_state=states)
    return (
        trained,
        k.Model(source, [h, c]),
        k.Model([goal, *states], [dense(outputs), h_next, c_next]),
    )


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One-hot sources, goals that begin with token 0, and what follows: the sources, turned."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, GOAL_TOKENS, (BATCH, LENGTH))
    wanted = ids[:, ::-1]
    goal = np.concatenate([np.zeros((BATCH, 1), int), wanted[:, :-1]], axis=1)
    return tuple(
        np.eye(size, dtype="f4")[each]
        for size, each in ((TOKENS, ids), (GOAL_TOKENS, goal), (GOAL_TOKENS, wanted))
    )


def decoded(encoder: Any, decoder: Any, source: np.ndarray) -> np.ndarray:
    """The most probable tokens, one after another."""
    states = encoder.predict(source, verbose=0)
    token = np.zeros((len(source), 1, GOAL_TOKENS), "f4")
    token[:, 0, 0] = 1
    found = []
    for _ in range(LENGTH):
        scores, *states = decoder.predict([token, *states], verbose=0)
        found.append(scores[:, -1].argmax(axis=-1))
        token = np.eye(GOAL_TOKENS, dtype="f4")[found[-1]][:, np.newaxis]
    return np.stack(found, axis=1)


def test_it_learns_and_the_inference_models_share_its_weights() -> None:
    fastrnn.utils.set_random_seed(1)
    trained, encoder, decoder = models(fastrnn)
    source, goal, wanted = data()
    trained.compile(fastrnn.optimizers.Adam(0.05), "categorical_crossentropy", metrics=["accuracy"])
    history = trained.fit([source, goal], wanted, epochs=120, verbose=0)
    assert history.history["accuracy"][-1] == 1.0
    np.testing.assert_array_equal(decoded(encoder, decoder, source), wanted.argmax(axis=-1))
    assert decoder.layers[-1] is trained.layers[-1]
    # Step by step is what the decoder makes of the whole sequence.
    h, c = encoder(source)
    whole, _, _ = decoder([goal, h, c])
    np.testing.assert_allclose(whole, trained([source, goal]), rtol=1e-5, atol=1e-6)


def test_training_and_inference_are_those_of_keras(keras: ModuleType) -> None:
    rng = np.random.default_rng(3)
    theirs, ours = models(keras), models(fastrnn)
    weights = [rng.normal(0, 0.5, w.shape).astype("f4") for w in theirs[0].get_weights()]
    source, goal, wanted = data(1)
    losses = []
    for trained, *_ in (theirs, ours):
        trained.set_weights(weights)
        trained.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
        fitted = trained.fit(
            [source, goal], wanted, epochs=10, batch_size=4, shuffle=False, verbose=0
        )
        losses.append(fitted.history)
    for key in ("loss", "accuracy"):
        assert losses[1][key] == pytest.approx(losses[0][key], rel=1e-4)
    np.testing.assert_array_equal(decoded(*ours[1:], source), decoded(*theirs[1:], source))


def test_a_model_from_the_middle_of_another() -> None:
    x = fastrnn.Input((LENGTH, TOKENS))
    h = fastrnn.layers.GRU(3, return_sequences=True, name="below")(x)
    model = fastrnn.Model(x, fastrnn.layers.LSTM(2, name="above")(h))
    source, _, _ = data()
    below = fastrnn.Model(model.input, model.get_layer("below").output)
    above = fastrnn.Model(h, model.output)
    hidden = below.predict(source, verbose=0)
    wanted = model.predict(source, verbose=0)
    np.testing.assert_array_equal(above.predict(hidden, verbose=0), wanted)
    assert above.get_layer("above") is model.get_layer("above")
    sequential = fastrnn.Sequential(
        [fastrnn.layers.Input((LENGTH, TOKENS)), model.get_layer("below"), fastrnn.layers.Dense(2)]
    )
    part = fastrnn.Model(sequential.inputs, sequential.layers[1].input)
    np.testing.assert_array_equal(part.predict(source, verbose=0), hidden)


def test_sequences_of_differing_lengths_go_into_a_functional_model() -> None:
    rng = np.random.default_rng(0)
    x = fastrnn.Input((None,), dtype="int32")
    vectors = fastrnn.layers.Embedding(9, 3)(x)
    model = fastrnn.Model(x, fastrnn.layers.Dense(1)(fastrnn.layers.LSTM(4)(vectors)))
    twin = fastrnn.Sequential([model.layers[1], *model.layers[2:]])
    sequences = [rng.integers(0, 9, length).tolist() for length in (3, 1, 5, 2)]
    wanted = twin.predict(sequences, verbose=0)
    np.testing.assert_array_equal(model.predict(sequences, verbose=0), wanted)
    padded = fastrnn.utils.pad_sequences(sequences)
    assert np.abs(model.predict(padded, verbose=0) - wanted).max() > 1e-4  # padding counts here
    model.compile("sgd", "mse")
    history = model.fit(sequences, np.zeros((4, 1)), epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]
