"""Stateful models: batches stay as they are, and must have one size."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import layers
from fastrnn.models import Sequential
from support.trainer_twins import assert_same_fit, compiled_twins

SIZE, STEPS, FEATURES = 3, 4, 2


def stateful(library: Any) -> list[Any]:
    lib = library.layers
    cell = lib.LSTM(4, stateful=True)
    return [lib.Input(batch_shape=(SIZE, STEPS, FEATURES)), cell, lib.Dense(1)]


def test_states_go_from_batch_to_batch(keras: ModuleType, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(4 * SIZE, STEPS, FEATURES)), rng.normal(size=4 * SIZE)
    theirs, ours = compiled_twins(keras, rng, stateful, (SIZE, STEPS, FEATURES), loss="mse")
    assert ours.stateful
    arguments = {"batch_size": SIZE, "epochs": 2, "validation_split": 0.25}
    assert_same_fit(theirs, ours, x, y, **arguments)
    for reset in (False, True):
        if reset:
            theirs.layers[0].reset_states()
            ours.reset_states()
        wanted, got = (model.predict(x, batch_size=SIZE, verbose=0) for model in (theirs, ours))
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    ours.reset_states()
    np.testing.assert_array_equal(ours.predict(x, verbose=0), got)  # the size that Input states


def sizes_made(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    def model() -> Sequential:
        made = Sequential([layers.GRU(3, stateful=True), layers.Dense(1)])
        made.compile("sgd", "mse")
        return made

    tokens = [[1], [1, 2], [3, 4], [4], [5, 6]]
    embedded = Sequential([layers.Embedding(9, 2), layers.GRU(3, stateful=True), layers.Dense(1)])
    embedded.compile("sgd", "mse")
    return {
        "fit": lambda: model().fit(x, y, batch_size=2),
        "evaluate": lambda: model().evaluate(x, y, batch_size=4),
        "predict": lambda: model().predict(x, batch_size=2),
        "validation": lambda: model().fit(x[:4], y[:4], 2, validation_data=(x[:3], y[:3])),
        "split": lambda: model().fit(x, y, batch_size=4, validation_split=0.2),
        "sequences": lambda: embedded.fit(tokens, y, batch_size=2),
    }


@pytest.mark.parametrize("case", ["fit", "evaluate", "predict", "validation", "split", "sequences"])
def test_batches_of_two_sizes_are_refused(rng: np.random.Generator, case: str) -> None:
    run = sizes_made(rng.normal(size=(5, STEPS, FEATURES)), rng.normal(size=5))[case]
    with pytest.raises(ValueError, match=r"all batches must have one size.*Received: .*sizes \[1"):
        run()


def test_a_size_that_changes_between_runs_is_refused_by_the_layer(
    rng: np.random.Generator,
) -> None:
    x = rng.normal(size=(6, STEPS, FEATURES))
    model = Sequential([layers.GRU(3, stateful=True)])
    model.predict(x, batch_size=3, verbose=0)
    with pytest.raises(ValueError, match=r"must have the size 3\. Received: a batch of 2"):
        model.predict(x, batch_size=2, verbose=0)


def test_sequences_keep_their_neighbours_in_a_stateful_model() -> None:
    """Row after row each batch goes on where the one before it ended."""
    model = Sequential([layers.Embedding(9, 2), layers.GRU(3, stateful=True)])
    whole = model.predict([[1, 2, 3], [4, 5, 6]], verbose=0)
    model.reset_states()
    parts = model.predict([[1, 2], [4], [3], [5, 6]], batch_size=2, verbose=0)
    np.testing.assert_allclose(parts[2:], whole, rtol=1e-6)
