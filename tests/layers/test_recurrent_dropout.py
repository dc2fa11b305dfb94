"""`dropout` and `recurrent_dropout`: what is drawn when, and that Keras computes the same with it.

Keras draws other random numbers. So the masks that are compared are given to both.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import kernels, layers
from support.keras_cells import KERAS_CELLS, layer_of
from support.keras_twins import assert_same, assert_same_gradients, randomized
from support.pairwise import pairwise

BATCH, STEPS, FEATURES, UNITS = 4, 5, 6, 3

cells = pytest.mark.parametrize("cell", KERAS_CELLS)


def made(cell: str, lib: Any = layers, units: int = UNITS, **options: Any) -> Any:
    return layer_of(lib, cell, units, **options)


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


class Drawn:
    """Records the masks that a layer hands to its kernel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[dict[str, np.ndarray | None]] = []
        kernel, both = kernels.rnn_forward, kernels.rnn_forward_both

        def note(options: Any) -> None:
            names = ("dropout_mask", "recurrent_dropout_mask")
            self.calls.append({name: options.get(name) for name in names})

        def record(*args: Any, **options: Any) -> Any:
            note(options)
            return kernel(*args, **options)

        def record_both(first: Any, second: Any) -> Any:
            note(first)
            note(second)
            return both(first, second)

        monkeypatch.setattr(kernels, "rnn_forward", record)
        monkeypatch.setattr(kernels, "rnn_forward_both", record_both)

    def __getitem__(self, name: str) -> list[np.ndarray | None]:
        return [call[name] for call in self.calls]


@cells
@pytest.mark.parametrize(
    ("rates", "per_gate"),
    [
        ({"dropout": 0.25}, False),
        ({"recurrent_dropout": 0.25}, True),
        ({"dropout": 0.25, "recurrent_dropout": 0.25}, True),
        ({"dropout": 0.25, "implementation": 1}, True),
    ],
)
def test_what_is_drawn(
    monkeypatch: pytest.MonkeyPatch, cell: str, rates: dict[str, Any], per_gate: bool
) -> None:
    fastrnn.utils.set_random_seed(11)
    gates, batch, features, units = kernels.CELLS[cell].gates, 80, 31, 29
    layer = made(cell, units=units, **rates)
    drawn = Drawn(monkeypatch)
    x = np.ones((batch, STEPS, features), "float32")
    for training in (True, True, False):
        layer(x, training=training)
    layer.forward(x, training=True)
    layer.forward(x, training=False)
    for name, size in (("dropout_mask", features), ("recurrent_dropout_mask", units)):
        one, two, inferred, three, also_inferred = drawn[name]
        assert inferred is None
        assert also_inferred is None
        if name.removesuffix("_mask") not in rates:
            assert one is two is three is None
            continue
        shape = (batch, gates, size) if per_gate and gates > 1 else (batch, size)
        for mask in (one, two, three):
            assert mask is not None
            assert (mask.shape, mask.dtype) == (shape, np.float32)
            assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)}
            # Every gate, row and feature for itself: five standard deviations.
            for axes in ((0, -1), (-1,), (0,)):
                share = (mask == 0).mean(axis=axes)
                limit = 5 * np.sqrt(0.25 * 0.75 * share.size / mask.size)
                assert np.abs(share - 0.25).max() < limit
        for other in (two, three):
            assert 0.3 < (one != other).mean() < 0.45, "a new mask for each batch: 2 * 0.25 * 0.75"
        if len(shape) == 3:
            assert 0.3 < (one[:, 0] != one[:, 1]).mean() < 0.45, "one for each gate"


@cells
@pytest.mark.parametrize("fused", [False, True])
def test_results_are_those_of_ops_given_the_masks(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, cell: str, fused: bool
) -> None:
    layer = made(cell, dropout=0.3, recurrent_dropout=0.4, return_sequences=True, seed=9)
    layer.build((None, STEPS, FEATURES))
    x: Any = inputs(rng, BATCH, STEPS, FEATURES)
    if fused:
        x = kernels.Embedded(rng.integers(0, 7, (BATCH, STEPS)), inputs(rng, 7, FEATURES))
    mask = rng.random((BATCH, STEPS)) < 0.7
    kernel, drawn = kernels.rnn_forward, Drawn(monkeypatch)
    y, tape = layer.forward(x, True, mask)
    wanted = kernel(
        cell, x, *layer.get_weights(), mask=mask, return_sequences=True, **drawn.calls[0]
    )
    np.testing.assert_array_equal(y, wanted.outputs)
    d_y = inputs(rng, *y.shape)
    d_x, d_weights = layer.backward(tape, d_y)
    d = kernels.rnn_backward(wanted.tape, d_y)
    for one, other in zip(
        [d_x, *d_weights], [d.x, d.kernel, d.recurrent_kernel, d.bias], strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_the_masks_hold_for_all_steps() -> None:
    """With kernels that only pass on, the output shows the masks."""
    x = np.ones((3, 4, 50), "float32")
    layer = layers.SimpleRNN(
        50,
        activation=None,
        dropout=0.5,
        kernel_initializer="identity",
        recurrent_initializer="zeros",
        return_sequences=True,
    )
    y = layer(x, training=True)
    assert set(np.unique(y)) == {0, 2}
    np.testing.assert_array_equal(y, y[:, :1].repeat(4, axis=1))
    assert (y[0] != y[1]).any(), "each row has its own"
    layer = layers.SimpleRNN(
        50,
        activation=None,
        recurrent_dropout=0.5,
        kernel_initializer="zeros",
        recurrent_initializer="identity",
        return_sequences=True,
    )
    y = layer(x, initial_state=np.ones((3, 50)), training=True)
    kept = y[:, 0] != 0
    assert 0.3 < kept.mean() < 0.7
    for t in range(4):
        np.testing.assert_array_equal(y[:, t], 2.0 ** (t + 1) * kept)


GIVEN = pairwise(
    {
        "cell": tuple(KERAS_CELLS),
        "dropout": (0.0, 0.3, 1.0),
        "recurrent_dropout": (0.0, 0.4, 1.0),
        "implementation": (2, 1),
        "return_sequences": (False, True),
        "go_backwards": (False, True),
        "masked": (False, True),
    }
)


@pytest.mark.parametrize("row", GIVEN, ids=lambda row: "-".join(map(str, row.values())))
def test_keras_does_the_same_with_the_same_masks(
    keras: ModuleType, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, row: Any
) -> None:
    row = dict(row)
    cell, masked = row.pop("cell"), row.pop("masked")
    gates = kernels.CELLS[cell].gates
    if cell == "simple_rnn":
        del row["implementation"]  # Keras's has none
    ours = made(cell, **row)
    if cell != "simple_rnn":
        row["use_cudnn"] = False  # else Keras cannot broadcast the masks of implementation=1
    theirs = made(cell, keras.layers, **row)
    for layer in (theirs, ours):
        layer.build((None, STEPS, FEATURES))
    randomized(rng, theirs, ours)
    masks = {
        shape: rng.choice(np.float32([0, 1.5]), shape)
        for size in (FEATURES, UNITS)
        for shape in ((BATCH, size), (BATCH, gates, size))
    }
    monkeypatch.setattr(
        fastrnn.layers.recurrent_cell, "draw_mask", lambda generator, shape, rate: masks[shape]
    )

    def keras_mask(step_input: Any, rate: float) -> Any:
        size = step_input.shape[1]
        if hasattr(theirs.cell, "dropout_mask_count"):
            return [masks[BATCH, gates, size][:, gate] for gate in range(gates)]
        return masks[BATCH, size]

    monkeypatch.setattr(theirs.cell, "_create_dropout_mask", keras_mask)
    x = inputs(rng, BATCH, STEPS, FEATURES)
    mask = rng.random((BATCH, STEPS)) < 0.7 if masked else None
    assert_same(ours(x, mask=mask), theirs(x, mask=mask))
    state = [inputs(rng, BATCH, UNITS) for _ in range(kernels.CELLS[cell].states)]
    arguments = {"mask": mask, "initial_state": state, "training": True}
    assert_same(ours(x, **arguments), theirs(x, **arguments))
    assert_same_gradients(rng, theirs, ours, x, mask)


def test_a_rate_of_one_is_that_of_keras(keras: ModuleType, rng: np.random.Generator) -> None:
    """Zeros in SimpleRNN; no dropout in LSTM and GRU."""
    x = inputs(rng, BATCH, STEPS, FEATURES)
    for cell in KERAS_CELLS:
        for rates in ({"dropout": 1.0}, {"recurrent_dropout": 1.0}):
            theirs, ours = made(cell, keras.layers, **rates), made(cell, **rates)
            theirs.build(x.shape)
            ours.build(x.shape)
            randomized(rng, theirs, ours)
            assert_same(ours(x, training=True), theirs(x, training=True))
            changed = np.abs(ours(x, training=True) - ours(x)).max() > 1e-3
            assert changed == (cell == "simple_rnn")


@cells
def test_the_same_seed_gives_the_same_masks(rng: np.random.Generator, cell: str) -> None:
    x = inputs(rng, BATCH, STEPS, FEATURES)
    weights = made(cell)
    weights.build(x.shape)
    results = []
    for seed in (3, 3, 4, None, None):
        layer = made(cell, dropout=0.5, recurrent_dropout=0.5, seed=seed)
        layer.build(x.shape)
        layer.set_weights(weights.get_weights())
        results.append([layer(x, training=True) for _ in range(2)])
    np.testing.assert_array_equal(results[0], results[1])
    for k in (2, 3, 4):
        assert (np.array(results[0]) != np.array(results[k])).any()
    assert (np.array(results[3]) != np.array(results[4])).any()


def test_a_layer_without_dropout_draws_no_seed() -> None:
    """So it leaves the initial weights of the layers after it as they are."""
    fastrnn.utils.set_random_seed(5)
    layers.LSTM(3)
    layers.LSTM(3, dropout=0.0)
    one = layers.Dense(3).kernel_initializer((2, 3))
    fastrnn.utils.set_random_seed(5)
    layers.LSTM(3)
    layers.LSTM(3, recurrent_dropout=0.1)
    other = layers.Dense(3).kernel_initializer((2, 3))
    fastrnn.utils.set_random_seed(5)
    layers.LSTM(3)
    layers.LSTM(3)
    np.testing.assert_array_equal(layers.Dense(3).kernel_initializer((2, 3)), one)
    assert (one != other).any()


def test_both_directions_draw_their_own_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    both = layers.Bidirectional(layers.LSTM(UNITS, dropout=0.5, recurrent_dropout=0.5))
    drawn = Drawn(monkeypatch)
    x = np.ones((40, STEPS, FEATURES), "float32")
    both(x, training=True)
    both.forward(x, training=True)
    both(x)
    for name in ("dropout_mask", "recurrent_dropout_mask"):
        masks = drawn[name]
        assert masks[4] is masks[5] is None
        for one in range(4):
            for other in range(one):
                assert 0.4 < (masks[one] != masks[other]).mean() < 0.6


def test_fit_drops_and_evaluate_does_not(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = layers.GRU(UNITS, dropout=0.5, recurrent_dropout=0.5)
    drawn = Drawn(monkeypatch)
    model = fastrnn.Sequential([layers.Embedding(9, FEATURES), layer, layers.Dense(1)])
    model.compile("sgd", "mse")
    tokens = rng.integers(0, 9, (8, STEPS))
    model.fit(tokens, np.ones(8), batch_size=4, verbose=0)
    assert all(mask is not None for mask in drawn["dropout_mask"])
    assert len(drawn.calls) == 2
    model.evaluate(tokens, np.ones(8), verbose=0)
    model.predict(tokens, verbose=0)
    model(tokens)
    assert len(drawn.calls) == 5
    assert drawn["dropout_mask"][2:] == drawn["recurrent_dropout_mask"][2:] == [None] * 3
