"""The oracle itself: gradients against central differences, outputs against published numbers."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import published_cases
import pytest
import reference
from rnn_cells import CELLS, Cell

BATCH, STEPS, FEATURES, UNITS = 2, 3, 2, 3

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)


def central_difference(loss: Callable[[], float], array: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """d loss / d array of each element by the five-point stencil, whose error is of order h**4."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        value, at = array[index], {}
        for offset in (-2, -1, 1, 2):
            array[index] = value + offset * h
            at[offset] = loss()
        array[index] = value
        gradient[index] = (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * h)
    return gradient


def assert_gradients(
    loss: Callable[[], float], arrays: list[np.ndarray], got: list[np.ndarray]
) -> None:
    for array, gradient in zip(arrays, got, strict=True):
        assert gradient.shape == array.shape
        limit = 2e-9 * max(1, np.max(np.abs(gradient)))
        np.testing.assert_allclose(gradient, central_difference(loss, array), rtol=0, atol=limit)


def check_rnn(
    cell: Cell, rng: np.random.Generator, return_sequences: bool = True, **options: str
) -> None:
    x = rng.normal(0, 1.5, (BATCH, STEPS, FEATURES))
    weights = [w.astype(np.float64) for w in cell.weights(rng, FEATURES, UNITS)]
    initial = tuple(rng.normal(size=(BATCH, UNITS)) for _ in range(cell.states))
    forward = functools.partial(
        reference.rnn_forward,
        cell.oracle, x, *weights, initial, return_sequences=return_sequences, **options,
    )  # fmt: skip
    output = forward()
    d_outputs = rng.normal(size=output.outputs.shape)
    d_states = tuple(rng.normal(size=state.shape) for state in output.states)

    def loss() -> float:
        outputs, states, _ = forward()
        return np.sum(outputs * d_outputs) + sum(
            np.sum(s * d) for s, d in zip(states, d_states, strict=True)
        )

    d_x, *d_weights, d_initial = reference.rnn_backward(output.tape, d_outputs, d_states)
    assert_gradients(loss, [x, *weights, *initial], [d_x, *d_weights, *d_initial])


@cells
@pytest.mark.parametrize("return_sequences", [False, True])
def test_gradients_of_each_cell(
    cell: Cell, return_sequences: bool, rng: np.random.Generator
) -> None:
    check_rnn(cell, rng, return_sequences)


@cells
def test_gradients_with_every_activation(cell: Cell, rng: np.random.Generator) -> None:
    for name in reference.ACTIVATIONS:
        check_rnn(cell, rng, activation=name)
        if cell.gated:
            check_rnn(cell, rng, recurrent_activation=name)


@pytest.mark.parametrize("activation", reference.ACTIVATIONS)
def test_gradients_of_dense(activation: str, rng: np.random.Generator) -> None:
    x, kernel, bias = (rng.normal(size=shape) for shape in ((2, 3, 4), (4, 5), (5,)))
    d_y = rng.normal(size=(2, 3, 5))

    def loss() -> float:
        return np.sum(reference.dense_forward(x, kernel, bias, activation=activation) * d_y)

    y = reference.dense_forward(x, kernel, bias, activation=activation)
    got = reference.dense_backward(x, y, kernel, d_y, activation=activation)
    assert_gradients(loss, [x, kernel, bias], list(got))


def test_gradient_of_embedding(rng: np.random.Generator) -> None:
    table, tokens = rng.normal(size=(6, 3)), np.array([[1, 5, 1], [0, 1, 2]])
    d_outputs = rng.normal(size=(2, 3, 3))

    def loss() -> float:
        return np.sum(reference.embedding_forward(tokens, table) * d_outputs)

    assert_gradients(loss, [table], [reference.embedding_backward(tokens, d_outputs, len(table))])


def test_activations_have_no_overflow() -> None:
    extremes = np.array([-1e300, -800.0, 0.0, 800.0, 1e300])
    with np.errstate(over="raise", invalid="raise"):
        for name, activation in reference.ACTIVATIONS.items():
            assert np.all(np.isfinite(activation.forward(extremes))), name


def test_float32_run_stays_in_float32(rng: np.random.Generator) -> None:
    """The yardstick of the kernel tests must not profit from float64 on its way."""
    for cell, name in itertools.product(CELLS, reference.ACTIVATIONS):
        x = rng.normal(size=(BATCH, STEPS, FEATURES))
        output = reference.rnn_forward(
            cell.oracle, x, *cell.weights(rng, FEATURES, UNITS),
            activation=name, recurrent_activation=name, dtype=np.float32,
        )  # fmt: skip
        gradients = reference.rnn_backward(output.tape, np.ones((BATCH, UNITS)))
        for array in (output.outputs, *output.states, *gradients[:4], *gradients.initial_state):
            assert array.dtype == np.float32


# --- Published numbers ----------------------------------------------------------------------------

_ORACLES = {
    ("simple_rnn", None): reference.SimpleRNN,
    ("lstm", None): reference.LSTM,
    ("gru", True): reference.GRUResetAfter,
    ("gru", False): reference.GRUResetBefore,
}


def run_layer(layer: dict[str, Any], x: np.ndarray, states: Any) -> reference.Output:
    cell = _ORACLES[layer["cell"], layer.get("reset_after") if layer["cell"] == "gru" else None]
    if layer["go_backwards"]:
        x = x[:, ::-1]
    return reference.rnn_forward(
        cell, x, layer["kernel"], layer["recurrent_kernel"], layer["bias"], states,
        activation=layer["activation"],
        recurrent_activation=layer.get("recurrent_activation", "sigmoid"),
        return_sequences=layer["return_sequences"],
    )  # fmt: skip


def test_published_case(published_case: dict[str, Any], cases: Any) -> None:
    """The oracle has no masks and no wrappers; the caller carries the state of a stateful layer."""
    left_out = published_cases.features(published_case) & {
        "mask",
        "bidirectional",
        "TimeDistributed",
    }
    if left_out:
        pytest.skip(f"not in the oracle: {', '.join(sorted(left_out))}")
    kept: list[Any] = [None] * len(published_case["layers"])
    flat: list[np.ndarray] = []
    for step in published_case["steps"]:
        if step["op"] == "reset":
            kept = [None] * len(kept)
            continue
        y, flat = step["x"], []
        for k, layer in enumerate(published_case["layers"]):
            given = step["initial_state"] if k == 0 else None
            y, states, _ = run_layer(layer, y, kept[k] if given is None else tuple(given))
            kept[k] = states if layer["stateful"] else None
            flat += states
        flat = [y, *flat]
    cases.check(published_case, flat)
