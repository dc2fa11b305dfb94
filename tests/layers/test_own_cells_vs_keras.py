"""Cells of a user in `RNN`, the same code under Keras: outputs, gradients, training, files."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from support.keras_twins import assert_same, assert_same_gradients, randomized
from support.own_cells import own_cells

pytest.importorskip("autograd")
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras saves

BATCH, STEPS, FEATURES = 3, 4, 5
MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]], bool)
KINDS = ("peephole", "minimal gated", "residual", "stack")


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


def cell_of(lib: Any, kind: str) -> Any:
    own = own_cells(lib)
    if kind == "peephole":
        return own.Peephole(4)
    if kind == "minimal gated":
        return own.MinimalGated(4)
    if kind == "residual":
        return own.Residual(lib.layers.LSTMCell(4), FEATURES)
    return lib.layers.StackedRNNCells(
        [lib.layers.GRUCell(6), own.Peephole(3), own.MinimalGated(4), lib.layers.LSTMCell(4)]
    )


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"return_state": True},
        {"return_sequences": True, "go_backwards": True},
        {"return_sequences": True, "zero_output_for_mask": True, "unroll": True},
    ],
    ids=["last", "backwards", "zeros"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_gradients(
    keras: ModuleType, rng: np.random.Generator, kind: str, options: dict[str, Any], masked: bool
) -> None:
    theirs, ours = (lib.layers.RNN(cell_of(lib, kind), **options) for lib in (keras, fastrnn))
    x = inputs(rng, BATCH, STEPS, FEATURES)
    for each in (theirs, ours):
        each.build(x.shape)
    randomized(rng, theirs, ours)
    assert [w.shape for w in theirs.weights] == [w.shape for w in ours.weights]
    mask = MASK if masked else None
    if kind == "stack" and "return_state" in options:  # Keras nests the states
        return
    assert_same_gradients(rng, theirs, ours, x, mask)
    assert_same(ours(x, mask=mask), theirs(x, mask=mask))


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_five_steps_of_training_and_files(
    keras: ModuleType, rng: np.random.Generator, kind: str, wrapped: bool, tmp_path: Path
) -> None:
    with keras.saving.custom_object_scope(vars(own_cells(keras))):  # for Keras's copies
        train_and_save(keras, rng, kind, wrapped, tmp_path)


def train_and_save(
    keras: ModuleType, rng: np.random.Generator, kind: str, wrapped: bool, tmp_path: Path
) -> None:
    pair = []
    for lib in (keras, fastrnn):
        rnn = lib.layers.RNN(cell_of(lib, kind), return_sequences=wrapped)
        layer = lib.layers.Bidirectional(rnn) if wrapped and kind != "residual" else rnn
        start = [lib.layers.Input((STEPS, FEATURES)), lib.layers.Masking()]
        pair.append(lib.Sequential([*start, layer, lib.layers.Dense(2)]))
    theirs, ours = pair
    randomized(rng, theirs, ours)
    x = inputs(rng, 8, STEPS, FEATURES)
    x[1, 2:] = x[4, :1] = 0
    y = inputs(rng, *ours(x).shape)
    theirs.compile(keras.optimizers.SGD(0.5), "mse", run_eagerly=True)
    ours.compile(fastrnn.optimizers.SGD(0.5), "mse")
    before = ours.get_weights()
    for _ in range(5):
        wanted = np.ravel(theirs.train_on_batch(x, y))[0]
        assert ours.train_on_batch(x, y) == pytest.approx(wanted, rel=1e-4)
    for one, other, first in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        assert np.abs(one - first).max() > 1e-4
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    if kind == "residual":  # has no config: its cell is an argument
        return
    for suffix in (".keras", ".weights.h5"):
        mine, its = tmp_path / f"ours{suffix}", tmp_path / f"theirs{suffix}"
        if suffix == ".keras":
            ours.save(mine)
            theirs.save(its)
            read, loaded = (
                lib.models.load_model(path, custom_objects=vars(own_cells(lib)))
                for lib, path in ((keras, mine), (fastrnn, its))
            )
        else:
            ours.save_weights(mine)
            theirs.save_weights(its)
            read, loaded = keras.models.clone_model(theirs), fastrnn.models.clone_model(ours)
            read.load_weights(mine)
            loaded.load_weights(its)
        assert_same(ours.get_weights(), read.get_weights())
        assert_same(loaded.get_weights(), theirs.get_weights())
        assert_same(loaded.predict(x, verbose=0), theirs.predict(x, verbose=0))
        assert_same(ours.predict(x, verbose=0), read.predict(x, verbose=0))


def test_states_of_a_graph(keras: ModuleType, rng: np.random.Generator) -> None:
    """The last states of one `RNN` start another; gradients go through them."""
    pair = []
    for lib in (keras, fastrnn):
        make, own = lib.layers, own_cells(lib)
        a, b = make.Input((STEPS, FEATURES)), make.Input((STEPS, 2))
        _, h, c = make.RNN(own.Peephole(4), return_state=True)(a)
        y = make.RNN(own.Peephole(4), return_sequences=True)(b, initial_state=[h, c])
        pair.append(lib.Model([a, b], make.Dense(1)(y)))
    theirs, ours = pair
    randomized(rng, theirs, ours)
    data = [inputs(rng, 6, STEPS, FEATURES), inputs(rng, 6, STEPS, 2)]
    y = inputs(rng, 6, STEPS, 1)
    theirs.compile(keras.optimizers.SGD(0.2), "mse", run_eagerly=True)
    ours.compile(fastrnn.optimizers.SGD(0.2), "mse")
    for _ in range(5):
        wanted = np.ravel(theirs.train_on_batch(data, y))[0]
        assert ours.train_on_batch(data, y) == pytest.approx(wanted, rel=1e-4)
    assert_same(ours.get_weights(), theirs.get_weights(), rtol=1e-3, atol=1e-5)
