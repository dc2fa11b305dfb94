"""One-hot inputs go to recurrent layers as tokens: same outputs, same gradients, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import kernels
from fastrnn.graph import Executor, Plan
from fastrnn.graph.one_hot import FEWEST, as_tokens_if_one_hot
from support.graphs import flat

FEATURES, STEPS, BATCH = FEWEST + 1, 6, 5


def one_hot(rng: np.random.Generator, padded: bool = True) -> np.ndarray:
    x = np.eye(FEATURES, dtype="f4")[rng.integers(0, FEATURES, (BATCH, STEPS))]
    if padded:
        x[1:, -2:] = 0.0
        x[3] = 0.0
    return x


@pytest.mark.parametrize("padded", [False, True])
def test_tokens_stand_for_the_same_vectors(rng: np.random.Generator, padded: bool) -> None:
    x = one_hot(rng, padded)
    made = as_tokens_if_one_hot(x)
    assert isinstance(made, kernels.Embedded)
    np.testing.assert_array_equal(np.asarray(made.table)[np.asarray(made.tokens)], x)


@pytest.mark.parametrize("value", [0.5, 2.0, -1.0, np.nan, np.inf, 1.0, 1e-30])
def test_any_other_value_keeps_the_array(rng: np.random.Generator, value: float) -> None:
    x = one_hot(rng)
    x[2, 1] = 0.0
    x[2, 1, :2] = (1.0, value)
    assert as_tokens_if_one_hot(x) is x
    if value != 1.0:
        x[2, 1, 0] = 0.0
        assert as_tokens_if_one_hot(x) is x


def test_few_features_and_other_shapes_keep_the_array() -> None:
    for shape in ((2, 3, FEWEST - 1), (2, FEWEST), (0, 3, FEWEST), (2, 0, FEWEST)):
        x = np.zeros(shape, np.float32)
        assert as_tokens_if_one_hot(x) is x


def alone() -> fastrnn.Model:
    x = fastrnn.Input((STEPS, FEATURES))
    return fastrnn.Model(x, fastrnn.layers.GRU(3, return_sequences=True)(x))


def two_directions_and_another() -> fastrnn.Model:
    x = fastrnn.Input((STEPS, FEATURES))
    both = fastrnn.layers.Bidirectional(fastrnn.layers.LSTM(3))(x)
    return fastrnn.Model(x, [both, fastrnn.layers.SimpleRNN(2, go_backwards=True)(x)])


def with_states() -> fastrnn.Model:
    x = fastrnn.Input((STEPS, FEATURES))
    below = fastrnn.Input((STEPS, 2))
    _, *states = fastrnn.layers.LSTM(3, return_state=True)(below)
    decoder = fastrnn.layers.LSTM(3, return_sequences=True)
    return fastrnn.Model([x, below], decoder(x, initial_state=states))


@pytest.mark.parametrize("build", [alone, two_directions_and_another, with_states])
def test_outputs_and_gradients_are_those_of_the_array(
    build: Callable[[], Any], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = build()
    model.set_weights([rng.normal(0, 0.6, w.shape).astype("f4") for w in model.weights])
    inputs = [one_hot(rng)] + [rng.normal(size=(BATCH, STEPS, 2)).astype("f4")] * (
        len(model.inputs) - 1
    )
    seen = []
    original = kernels.rnn_forward

    def noting(cell: str, x: Any, *arguments: Any, **options: Any) -> Any:
        seen.append(isinstance(x, kernels.Embedded))
        return original(cell, x, *arguments, **options)

    monkeypatch.setattr(kernels, "rnn_forward", noting)
    results = []
    # With the gradients of inputs the array goes on as it is.
    for input_gradient in (False, True):
        seen.clear()
        executor = Executor(Plan(model.inner_graph), model.weights, input_gradient)
        passed = executor.forward(inputs)
        assert any(seen) is not input_gradient
        d = [np.cos(np.arange(y.size, dtype="f4")).reshape(y.shape) for y in passed.outputs]
        d_inputs, gradients = executor.backward(passed.caches, d)
        assert (d_inputs[0] is not None) is input_gradient
        results.append((passed.outputs, gradients))
    (as_tokens, d_tokens), (as_array, d_array) = results
    for one, other in zip(as_tokens, as_array, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(d_tokens) == len(model.weights)
    for one, other in zip(d_tokens, d_array, strict=True):
        assert np.abs(other).max() > 1e-3
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_an_input_that_others_read_stays_an_array(rng: np.random.Generator) -> None:
    array = one_hot(rng)
    x = fastrnn.Input((STEPS, FEATURES))
    last = fastrnn.layers.LSTM(3)(x)
    pooled = fastrnn.layers.GlobalMaxPooling1D()(x)
    for other, wanted in ((x, array), (pooled, array.max(axis=1))):
        model = fastrnn.Model(x, [last, other])
        passed = Executor(Plan(model.inner_graph), model.weights).forward([array])
        np.testing.assert_array_equal(passed.outputs[1], wanted)


def test_masks_and_dropout_take_tokens_too(rng: np.random.Generator) -> None:
    x = fastrnn.Input((STEPS, FEATURES))
    model = fastrnn.Model(x, fastrnn.layers.LSTM(3, dropout=0.5, seed=1)(x))
    twin = fastrnn.models.clone_model(model)
    twin.set_weights(model.get_weights())
    array, mask = one_hot(rng), rng.random((BATCH, STEPS)) < 0.6
    outputs = []
    for each, input_gradient in ((model, False), (twin, True)):
        executor = Executor(Plan(each.inner_graph), each.weights, input_gradient)
        outputs += flat(executor.forward([array], [mask]).outputs)
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)
