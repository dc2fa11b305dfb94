"""Masks against live Keras: any pattern, every option; through models, to loss and metrics."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import kernels, layers
from support.keras_cells import KERAS_CELLS
from support.keras_twins import assert_same, assert_same_gradients, randomized
from support.pairwise import pairwise
from support.rnn_problems import MASKS, make_mask

# Keras says so of a Sequential model; yet the layers inside see the mask, and those above too.
pytestmark = pytest.mark.filterwarnings("ignore:Layer 'sequential.*does not support masking")

BATCH, STEPS, FEATURES, UNITS, VOCABULARY = 5, 6, 4, 3, 12

CALLS = pairwise(
    {
        "cell": tuple(KERAS_CELLS),
        "pattern": MASKS,
        "return_sequences": (True, False),
        "zero_output_for_mask": (False, True),
        "go_backwards": (False, True),
        "initial_state": (False, True),
    }
)


def twins(keras: ModuleType, cell: str, **options: Any) -> tuple[Any, Any]:
    name, more = KERAS_CELLS[cell]
    pair = [getattr(lib, name)(UNITS, **more, **options) for lib in (keras.layers, layers)]
    for layer in pair:
        layer.build((None, STEPS, FEATURES))
    return pair[0], pair[1]


def inputs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


@pytest.mark.parametrize("row", CALLS, ids=lambda row: "-".join(map(str, row.values())))
def test_calls_and_gradients(
    keras: ModuleType, rng: np.random.Generator, row: dict[str, Any]
) -> None:
    row = dict(row)
    cell, pattern, with_state = (row.pop(key) for key in ("cell", "pattern", "initial_state"))
    theirs, ours = twins(keras, cell, return_state=True, **row)
    randomized(rng, theirs, ours)
    x, mask = inputs(rng, BATCH, STEPS, FEATURES), make_mask(pattern, rng, BATCH, STEPS)
    state = None
    if with_state:
        state = [inputs(rng, BATCH, UNITS) for _ in range(kernels.CELLS[cell].states)]
    wanted = theirs(x, initial_state=state, mask=mask)
    assert_same(ours(x, initial_state=state, mask=mask), wanted)
    assert_same(ours(x, initial_state=state, mask=mask.astype(int).tolist()), wanted)

    theirs.return_state = ours.return_state = False
    assert_same_gradients(rng, theirs, ours, x, mask)


def stack(lib: Any, kind: str) -> list[Any]:
    """Layers that are handed a mask by an Embedding, made of the classes of `lib`."""
    embedding = lib.Embedding(VOCABULARY, FEATURES, mask_zero=True)
    last = [lib.Dense(2, activation="tanh")]
    every_step = lib.LSTM(UNITS, return_sequences=True)
    return {
        "LSTM": [embedding, lib.LSTM(UNITS), *last],
        "GRU backwards": [embedding, lib.GRU(UNITS, go_backwards=True), *last],
        "stacked": [embedding, every_step, lib.Dropout(0.0), lib.Dense(4), lib.GRU(3), *last],
        "unfused": [embedding, lib.Dropout(0.0), lib.SimpleRNN(UNITS), *last],
        # Keras hands the mask on as it is, though the outputs are in the order of the walk.
        "backwards below": [
            embedding,
            lib.GRU(UNITS, return_sequences=True, go_backwards=True),
            lib.LSTM(4),
            *last,
        ],
        "zeros": [
            embedding,
            lib.SimpleRNN(UNITS, return_sequences=True, zero_output_for_mask=True),
            lib.LSTM(4, go_backwards=True),
            *last,
        ],
        "bidirectional": [
            embedding,
            lib.Bidirectional(lib.GRU(UNITS, return_sequences=True), merge_mode="sum"),
            lib.Bidirectional(lib.LSTM(4)),
            *last,
        ],
        "every step": [embedding, every_step, *last],
        "no layer that walks": [embedding, *last],
    }[kind]


STACKS = (
    "LSTM",
    "GRU backwards",
    "stacked",
    "unfused",
    "backwards below",
    "zeros",
    "bidirectional",
    "every step",
    "no layer that walks",
)


def model_twins(
    keras: ModuleType, rng: np.random.Generator, kind: str, nested: bool = False
) -> tuple[Any, Any]:
    pair = []
    for sequential, lib in ((keras.Sequential, keras.layers), (fastrnn.Sequential, layers)):
        inside = stack(lib, kind)
        if nested:
            inside = [*inside[:2], sequential(inside[2:])]
        pair.append(sequential(inside))
        pair[-1].build((None, STEPS))
    randomized(rng, pair[0], pair[1])
    return pair[0], pair[1]


def padded_tokens(rng: np.random.Generator, batch: int) -> np.ndarray:
    """Zeros at the start, at the end and between; one row has nothing else."""
    tokens = rng.integers(0, VOCABULARY, (batch, STEPS))
    tokens[np.arange(STEPS) < rng.integers(0, STEPS, (batch, 1))] = 0
    tokens[rng.random((batch, STEPS)) < 0.2] = 0
    tokens[1] = 0
    return tokens


@pytest.mark.parametrize("kind", STACKS)
def test_models_by_three_steps_of_sgd(
    keras: ModuleType, rng: np.random.Generator, kind: str
) -> None:
    theirs, ours = model_twins(keras, rng, kind)
    tokens = padded_tokens(rng, 3 * BATCH)
    y = inputs(rng, *ours.compute_output_shape(tokens.shape))
    assert_same(ours(tokens), theirs(tokens))
    before = ours.get_weights()
    theirs.compile(keras.optimizers.SGD(0.5), "mse", metrics=["mae"])
    ours.compile(fastrnn.optimizers.SGD(0.5), "mse", metrics=["mae"])
    arguments: dict[str, Any] = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    wanted, got = (model.fit(tokens, y, **arguments).history for model in (theirs, ours))
    for key, values in wanted.items():
        np.testing.assert_allclose(got[key], values, rtol=1e-5, err_msg=key)
    for one, other, start in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        assert np.abs(one - start).max() > 3e-4, "the weight must have moved"
        np.testing.assert_allclose(one - start, other - start, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("loss", "activation", "metrics"),
    [
        ("binary_crossentropy", "sigmoid", ["accuracy", "mse"]),
        ("categorical_crossentropy", "softmax", ["accuracy"]),
        ("sparse_categorical_crossentropy", "softmax", ["accuracy"]),
    ],
)
def test_loss_and_metrics_of_every_step_leave_masked_steps_out(
    keras: ModuleType,
    rng: np.random.Generator,
    loss: str,
    activation: str,
    metrics: list[str],
    nested: bool,
) -> None:
    theirs, ours = model_twins(keras, rng, "every step", nested)
    for model in (theirs, ours):
        last = model.layers[-1].layers[-1] if nested else model.layers[-1]
        library = keras if model is theirs else fastrnn
        last.activation = library.activations.get(activation)
        model.compile("sgd", loss, metrics=list(metrics))
    tokens = padded_tokens(rng, 3 * BATCH)
    y = rng.integers(0, 2, (3 * BATCH, STEPS, 1 if loss.startswith("sparse") else 2))
    if loss == "categorical_crossentropy":
        y[..., 1] = 1 - y[..., 0]
    arguments: dict[str, Any] = {"batch_size": 4, "verbose": 0}  # the last batch is smaller
    np.testing.assert_allclose(
        ours.evaluate(tokens, y, **arguments), theirs.evaluate(tokens, y, **arguments), rtol=1e-5
    )
    arguments |= {"epochs": 2, "shuffle": False}
    wanted, got = (model.fit(tokens, y, **arguments).history for model in (theirs, ours))
    assert list(got) == list(wanted)
    for key, values in wanted.items():
        np.testing.assert_allclose(got[key], values, rtol=1e-5, err_msg=key)


def test_a_model_takes_a_mask(keras: ModuleType, rng: np.random.Generator) -> None:
    pair = []
    for sequential, lib in ((keras.Sequential, keras.layers), (fastrnn.Sequential, layers)):
        inside = [lib.Dense(4), lib.GRU(UNITS, return_sequences=True), lib.LSTM(2)]
        pair.append(sequential([lib.Input((STEPS, FEATURES)), *inside]))
    theirs, ours = pair
    randomized(rng, theirs, ours)
    x, mask = inputs(rng, BATCH, STEPS, FEATURES), make_mask("random", rng, BATCH, STEPS)
    assert_same(ours(x, mask=mask), theirs(x, mask=mask))
    assert np.abs(ours(x, mask=mask) - ours(x)).max() > 1e-3


def test_masks_of_layers_are_those_of_keras(keras: ModuleType, rng: np.random.Generator) -> None:
    tokens, mask = padded_tokens(rng, BATCH), make_mask("random", rng, BATCH, STEPS)
    for mask_zero in (True, False):
        theirs, ours = (lib.Embedding(9, 2, mask_zero=mask_zero) for lib in (keras.layers, layers))
        assert theirs.supports_masking == ours.supports_masking == mask_zero
        got, wanted = ours.compute_mask(tokens, mask), theirs.compute_mask(tokens, mask)
        assert (got is None) == (wanted is None)
        if mask_zero:
            np.testing.assert_array_equal(got, np.asarray(wanted))
    for make in (
        lambda lib: lib.Dense(3),
        lambda lib: lib.Dropout(0.3),
        lambda lib: lib.LSTM(3),
        lambda lib: lib.LSTM(3, return_sequences=True),
        lambda lib: lib.GRU(3, return_sequences=True, return_state=True),
        lambda lib: lib.LSTM(3, return_state=True),
        lambda lib: lib.Bidirectional(lib.LSTM(3, return_sequences=True)),
        lambda lib: lib.Bidirectional(lib.LSTM(3)),
        lambda lib: lib.Bidirectional(lib.LSTM(3, return_sequences=True), merge_mode=None),
        lambda lib: lib.Bidirectional(lib.LSTM(3), merge_mode=None),
    ):
        theirs, ours = make(keras.layers), make(layers)
        assert theirs.supports_masking
        assert ours.supports_masking
        got, wanted = ours.compute_mask(tokens, mask), theirs.compute_mask(tokens, mask)
        assert type(got) is type(wanted)
        assert [each is mask for each in _flat(got)] == [each is mask for each in _flat(wanted)]


def _flat(masks: Any) -> list[Any]:
    return list(masks) if isinstance(masks, (tuple, list)) else [masks]
