"""Stateful layers against live Keras: outputs, states, training; and what they refuse."""

from __future__ import annotations

import copy
import pickle
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from support.keras_twins import assert_same, randomized

BATCH, STEPS, FEATURES, UNITS = 3, 4, 5, 6
CELLS = ("SimpleRNN", "LSTM", "GRU")
LAYERS = (*CELLS, "Bidirectional SimpleRNN", "Bidirectional LSTM", "Bidirectional GRU")


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def make(lib: Any, kind: str, **options: Any) -> Any:
    """A stateful layer of the classes of `lib`."""
    wrapper, _, cls = kind.rpartition(" ")
    layer = getattr(lib, cls)(UNITS, stateful=True, **options)
    return lib.Bidirectional(layer) if wrapper else layer


@pytest.mark.parametrize("kind", LAYERS)
def test_states_go_from_batch_to_batch(
    keras: ModuleType, rng: np.random.Generator, kind: str
) -> None:
    # Keras 3.15.1 cannot return the states of a stateful Bidirectional.
    options = {"return_sequences": True, "return_state": kind in CELLS}
    theirs, ours = (make(lib, kind, **options) for lib in (keras.layers, layers))
    assert ours.stateful
    assert ours.states is None
    x = inputs(rng, 5, BATCH, STEPS, FEATURES)
    theirs.build(x[0].shape)
    ours.build(x[0].shape)
    randomized(rng, theirs, ours)
    mask = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
    given = [inputs(rng, BATCH, UNITS) for _ in ours.states]
    calls: list[dict[str, Any]] = [{}, {"mask": mask}, {"initial_state": given}, {}, {}]
    for number, (batch, arguments) in enumerate(zip(x, calls, strict=True)):
        assert_same(ours(batch, **arguments), theirs(batch, **arguments))
        assert_same([np.asarray(s) for s in ours.states], [s.numpy() for s in theirs.states])
        if number == 3:
            theirs.reset_states()
            ours.reset_states()
            assert not any(state.numpy().any() for state in ours.states)


@pytest.mark.parametrize("kind", LAYERS)
def test_training_carries_states_and_no_gradients(
    keras: ModuleType, rng: np.random.Generator, kind: str
) -> None:
    """Five steps of a model on tokens with two stateful layers, the upper one going backwards."""
    tokens, pair = rng.integers(0, 9, (6 * BATCH, STEPS)), []
    for lib in (keras, fastrnn):
        lower = make(lib.layers, kind, return_sequences=True)
        upper = lib.layers.GRU(2, stateful=True, go_backwards=True)
        start = [lib.layers.Input(batch_shape=(BATCH, STEPS)), lib.layers.Embedding(9, FEATURES)]
        pair.append(lib.Sequential([*start, lower, upper, lib.layers.Dense(1)]))
    theirs, ours = pair
    randomized(rng, theirs, ours)
    y = inputs(rng, len(tokens), 1)
    theirs.compile(keras.optimizers.SGD(0.3), "mse", run_eagerly=True)
    ours.compile(fastrnn.optimizers.SGD(0.3), "mse")
    assert ours.stateful
    before = ours.get_weights()
    for start in range(0, 5 * BATCH, BATCH):
        rows = slice(start, start + BATCH)
        wanted = np.ravel(theirs.train_on_batch(tokens[rows], y[rows]))[0]
        assert ours.train_on_batch(tokens[rows], y[rows]) == pytest.approx(wanted, rel=1e-4)
    for one, other, first in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        assert np.abs(one - first).max() > 1e-4, "the weight must have moved"
        np.testing.assert_allclose(one - first, other - first, rtol=2e-3, atol=2e-6)
    # The states of training are where prediction starts.
    last = tokens[5 * BATCH :]
    assert_same(ours(last), theirs(last), rtol=1e-4, atol=1e-5)
    wanted = np.ravel(theirs.test_on_batch(last, y[:BATCH]))[0]
    assert ours.test_on_batch(last, y[:BATCH]) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("cls", CELLS)
def test_two_halves_are_the_whole(rng: np.random.Generator, cls: str) -> None:
    """And a model's reset starts again."""
    x = inputs(rng, BATCH, 2 * STEPS, FEATURES)
    layer = make(layers, cls)
    plain = getattr(layers, cls)(UNITS)
    plain.build(x.shape)
    layer.build((None, None, FEATURES))
    layer.set_weights(plain.get_weights())
    model = fastrnn.Sequential([layer])
    for _ in range(2):
        model(x[:, :STEPS])
        np.testing.assert_allclose(model(x[:, STEPS:]), plain(x), rtol=1e-5, atol=1e-6)
        model.reset_states()


@pytest.mark.parametrize("kind", LAYERS)
def test_another_batch_size_is_refused(rng: np.random.Generator, kind: str) -> None:
    layer = make(layers, kind)
    x = inputs(rng, BATCH + 1, STEPS, FEATURES)
    layer(x[:BATCH])
    before = [state.numpy() for state in layer.states]
    for _ in range(2):
        with pytest.raises(ValueError, match=r"must have the size 3\. Received: a batch of 4"):
            layer(x)
        assert_same([state.numpy() for state in layer.states], before)
        layer.reset_state()  # to zeros, not to another size
        before = [np.zeros_like(state) for state in before]


@pytest.mark.parametrize("arguments", [{"batch_input_shape": (2, STEPS, FEATURES)}, {}])
def test_the_shape_of_a_batch_at_the_first_layer(arguments: dict[str, Any]) -> None:
    """`batch_input_shape` stands in older scripts; Keras 3 has it on Input only."""
    arguments = arguments or {"input_shape": (STEPS, FEATURES), "batch_size": 2}
    model = fastrnn.Sequential([layers.LSTM(UNITS, stateful=True, **arguments), layers.Dense(1)])
    assert model.input_shape == (2, STEPS, FEATURES)
    assert model.output_shape == (2, 1)
    assert [state.shape for state in model.layers[0].states] == [(2, UNITS)] * 2
    with pytest.raises(ValueError, match="must have the size 2"):
        model(np.zeros((3, STEPS, FEATURES)))


def test_states_are_no_weights() -> None:
    layer = layers.LSTM(UNITS, stateful=True)
    layer(np.ones((2, 3, 4)))
    assert len(layer.weights) == 3
    assert layer.non_trainable_weights == []


def test_the_layers_of_a_bidirectional_must_agree() -> None:
    with pytest.raises(ValueError, match="the same `stateful`"):
        layers.Bidirectional(
            layers.GRU(2, stateful=True), backward_layer=layers.GRU(2, go_backwards=True)
        )


def test_what_keeps_no_states() -> None:
    layer = layers.GRU(2)
    layer.reset_state()
    layer(np.ones((2, 3, 4)))
    assert (layer.stateful, layer.states) == (False, None)
    assert not fastrnn.Sequential([layer]).stateful
    assert layers.LSTM(2, stateful=True).get_config()["stateful"] is True


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))]
)
@pytest.mark.parametrize("make", [layers.SimpleRNN, layers.GRU, layers.LSTM])
def test_copies_and_pickles_start_from_zero_states(make: Any, copied: Any) -> None:
    """As in Keras, whose pickles are files; and the original keeps its states."""
    fastrnn.utils.set_random_seed(4)  # there are weights that forget a state within five steps
    layer = make(3, stateful=True)
    x = np.random.default_rng(4).normal(size=(2, 5, 2)).astype(np.float32)
    first, second = layer(x), layer(x)
    other = copied(layer)
    assert all(not state.value.any() for state in other.states)
    np.testing.assert_array_equal(other(x), first)
    assert np.abs(layer(x) - second).max() > 1e-4
    np.testing.assert_array_equal(other(x), second)
