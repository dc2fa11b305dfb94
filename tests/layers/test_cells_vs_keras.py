"""`RNN`, the cells and stacks of them against live Keras: outputs, states, training, files."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from support.keras_twins import assert_same, randomized

BATCH, STEPS, FEATURES, UNITS = 3, 4, 5, 6
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
KINDS = ("SimpleRNN", "LSTM", "GRU", "GRU before", "stack", "stack of two")

pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras saves


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def cells(lib: Any, kind: str) -> Any:
    """A cell or a stack of cells of the classes of `lib`."""
    if kind == "stack":
        return lib.StackedRNNCells([lib.LSTMCell(4), lib.GRUCell(3), lib.SimpleRNNCell(UNITS)])
    if kind == "stack of two":
        return [lib.LSTMCell(UNITS), lib.LSTMCell(UNITS, use_bias=False)]
    cls, _, before = kind.partition(" ")
    options: dict[str, Any] = {"reset_after": False} if before else {}
    return getattr(lib, f"{cls}Cell")(UNITS, **options)


def flat(results: Any) -> list[Any]:
    if isinstance(results, (list, tuple)):
        return [part for each in results for part in flat(each)]
    return [np.asarray(results)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True},
    ],
    ids=["last", "backwards", "zeros"],
)
def test_outputs_and_states(
    keras: ModuleType, rng: np.random.Generator, kind: str, options: dict[str, Any]
) -> None:
    theirs, ours = (
        lib.layers.RNN(cells(lib.layers, kind), return_state=True, **options)
        for lib in (keras, fastrnn)
    )
    x = inputs(rng, BATCH, STEPS, FEATURES)
    for each in (theirs, ours):
        each.build(x.shape)
    randomized(rng, theirs, ours)
    assert [w.path.split("/")[-1] for w in theirs.weights] == [w.name for w in ours.weights]
    for call in ({}, {"mask": MASK}):
        got, wanted = ours(x, **call), theirs(x, **call)
        assert [type(each) is list for each in got] == [type(each) is list for each in wanted]
        assert_same(flat(got), flat(wanted))
    assert flat(ours.state_size) == flat(theirs.state_size)
    if "stack" not in kind:
        step = ours.cell(x[:, 0], ours.cell.get_initial_state(BATCH))
        assert_same(flat(step), flat(theirs.cell(x[:, 0], theirs.cell.get_initial_state(BATCH))))


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_training_and_files(
    keras: ModuleType, rng: np.random.Generator, kind: str, wrapped: bool, tmp_path: Path
) -> None:
    pair = []
    for lib in (keras, fastrnn):
        rnn = lib.layers.RNN(cells(lib.layers, kind), return_sequences=wrapped)
        layer = lib.layers.Bidirectional(rnn) if wrapped else rnn
        start = [lib.layers.Input((STEPS, FEATURES)), lib.layers.Masking()]
        pair.append(lib.Sequential([*start, layer, lib.layers.Dense(2)]))
    theirs, ours = pair
    randomized(rng, theirs, ours)
    x = inputs(rng, 8, STEPS, FEATURES)
    x[1, 2:] = x[4, :1] = 0
    y = inputs(rng, *ours(x).shape)
    theirs.compile(keras.optimizers.SGD(0.1), "mse")
    ours.compile(fastrnn.optimizers.SGD(0.1), "mse")
    before = ours.get_weights()
    for _ in range(4):
        wanted = np.ravel(theirs.train_on_batch(x, y))[0]
        assert ours.train_on_batch(x, y) == pytest.approx(wanted, rel=1e-4)
    for one, other, first in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        assert np.abs(one - first).max() > 1e-4
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-5)
    for suffix in (".keras", ".weights.h5"):
        mine, its = tmp_path / f"ours{suffix}", tmp_path / f"theirs{suffix}"
        if suffix == ".keras":
            ours.save(mine)
            theirs.save(its)
            read, loaded = keras.models.load_model(mine), fastrnn.models.load_model(its)
        else:
            ours.save_weights(mine)
            theirs.save_weights(its)
            read, loaded = keras.models.clone_model(theirs), fastrnn.models.clone_model(ours)
            read.load_weights(mine)
            loaded.load_weights(its)
        assert_same(ours.get_weights(), read.get_weights())
        assert_same(loaded.get_weights(), theirs.get_weights())
        assert_same(loaded.predict(x, verbose=0), theirs(x))
        assert_same(ours.predict(x, verbose=0), read(x))


def test_states_of_a_graph(keras: ModuleType, rng: np.random.Generator) -> None:
    """An encoder's states start a decoder; both are stacks, and gradients go through the states."""
    pair = []
    for lib in (keras, fastrnn):
        make = lib.layers
        a, b = make.Input((STEPS, FEATURES)), make.Input((STEPS, 2))
        _, low, high = make.RNN([make.LSTMCell(4), make.LSTMCell(3)], return_state=True)(a)
        decoder = make.RNN([make.LSTMCell(4), make.LSTMCell(3)], return_sequences=True)
        y = decoder(b, initial_state=[low, high])
        pair.append(lib.Model([a, b], make.Dense(1)(y)))
    theirs, ours = pair
    randomized(rng, theirs, ours)
    data = [inputs(rng, 6, STEPS, FEATURES), inputs(rng, 6, STEPS, 2)]
    y = inputs(rng, 6, STEPS, 1)
    theirs.compile(keras.optimizers.SGD(0.2), "mse")
    ours.compile(fastrnn.optimizers.SGD(0.2), "mse")
    for _ in range(5):
        wanted = np.ravel(theirs.train_on_batch(data, y))[0]
        assert ours.train_on_batch(data, y) == pytest.approx(wanted, rel=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_configs_are_those_of_keras(keras: ModuleType, kind: str) -> None:
    theirs, ours = (lib.layers.RNN(cells(lib.layers, kind)) for lib in (keras, fastrnn))
    config = ours.get_config()
    assert set(config) == set(theirs.get_config())
    again = keras.layers.RNN.from_config(ours.get_config())
    assert flat(again.state_size) == flat(ours.state_size)
    assert layers.RNN.from_config(theirs.get_config()).state_size == ours.state_size
    if "stack" not in kind:
        assert set(config["cell"]["config"]) == set(theirs.cell.get_config())
