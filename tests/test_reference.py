"""The oracle itself: gradients by central differences, outputs against Keras and known cases."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support import reference
from support.keras_cells import layer_of
from support.pairwise import pairwise
from support.rnn_cells import CELLS, KERAS_HAS, Cell
from support.rnn_problems import DROPOUTS, MASKS, make_dropout_mask, make_mask, row_id

BATCH, STEPS, FEATURES, UNITS = 2, 3, 2, 3

# The choices of a walk.
WALKS = pairwise(
    {
        "mask": (None, *MASKS),
        "dropout_mask": DROPOUTS,
        "recurrent_dropout_mask": DROPOUTS,
        "go_backwards": (False, True),
        "zero_output_for_mask": (False, True),
        "return_sequences": (False, True),
        "initial_state": (True, False),
    }
)

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)


def central_difference(
    loss: Callable[[], float], array: np.ndarray, direction: np.ndarray, h: float = 1e-5
) -> float:
    """d loss / d array along a direction by the five-point stencil; its error is of order h**4."""
    start, at = array.copy(), {}
    for offset in (-2, -1, 1, 2):
        array[...] = start + offset * h * direction
        at[offset] = loss()
    array[...] = start
    return (at[-2] - 8 * at[-1] + 8 * at[1] - at[2]) / (12 * h)


def assert_gradients(
    loss: Callable[[], float], arrays: list[np.ndarray], got: list[np.ndarray]
) -> None:
    """Along two random directions of each array: an element that is wrong shows in both."""
    rng = np.random.default_rng(5)
    for array, gradient in zip(arrays, got, strict=True):
        assert gradient.shape == array.shape
        for _ in range(2):
            direction = rng.choice([-1, 1], array.shape) * rng.uniform(0.5, 1, array.shape)
            limit = 2e-9 * max(1, np.linalg.norm(gradient))
            wanted = central_difference(loss, array, direction)
            assert np.sum(gradient * direction) == pytest.approx(wanted, rel=0, abs=limit)


def check_rnn(
    cell: Cell,
    rng: np.random.Generator,
    batch: int = BATCH,
    steps: int = STEPS,
    units: int = UNITS,
    **options: Any,
) -> None:
    x = rng.normal(0, 1.5, (batch, steps, FEATURES))
    weights = [w.astype(np.float64) for w in cell.weights(rng, FEATURES, units)]
    initial = tuple(rng.normal(size=(batch, units)) for _ in range(cell.states))
    forward = functools.partial(reference.rnn_forward, cell.oracle, x, *weights, initial, **options)
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


def options_of_walk(
    cell: Cell, row: dict[str, Any], rng: np.random.Generator, batch: int, steps: int, units: int
) -> dict[str, Any]:
    flags = ("go_backwards", "zero_output_for_mask", "return_sequences")
    options = {name: row[name] for name in flags}
    if row["mask"]:
        options["mask"] = make_mask(row["mask"], rng, batch, steps)
    for name, size in (("dropout_mask", FEATURES), ("recurrent_dropout_mask", units)):
        factors = make_dropout_mask(row[name], rng, batch, cell.gates, size)
        options[name] = None if factors is None else factors.astype(np.float64)
    return options


@cells
@pytest.mark.parametrize("return_sequences", [False, True])
def test_gradients_of_each_cell(
    cell: Cell, return_sequences: bool, rng: np.random.Generator
) -> None:
    check_rnn(cell, rng, return_sequences=return_sequences)


@cells
@pytest.mark.parametrize("row", WALKS, ids=row_id)
def test_gradients_of_each_walk(cell: Cell, row: dict[str, Any], rng: np.random.Generator) -> None:
    batch, steps, units = 2, 4, 2
    options = options_of_walk(cell, row, rng, batch, steps, units)
    check_rnn(cell, rng, batch, steps, units, **options)


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


# --- Live Keras -----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", KERAS_HAS, ids=lambda cell: cell.id)
@pytest.mark.parametrize("row", WALKS, ids=row_id)
def test_against_live_keras(
    cell: Cell, row: dict[str, Any], rng: np.random.Generator, keras: ModuleType
) -> None:
    """Outputs and states in float64. Keras's cell is given the dropout masks it would have drawn.

    LSTM and GRU with recurrent dropout take a list of masks, one for each gate, of both kinds;
    without it, and in SimpleRNN, one mask for all gates. `use_cudnn=False`, since Keras 3.15.1
    otherwise breaks on such a list where there is no recurrent dropout.
    """
    batch, steps = 4, 6
    options = options_of_walk(cell, row, rng, batch, steps, UNITS)
    x = rng.normal(size=(batch, steps, FEATURES))
    weights = [w.astype(np.float64) for w in cell.weights(rng, FEATURES, UNITS)]
    initial = None
    if row["initial_state"]:
        initial = tuple(rng.normal(size=(batch, UNITS)) for _ in range(cell.states))
    want = reference.rnn_forward(cell.oracle, x, *weights, initial, **options)

    mask, masks = options.pop("mask", None), {}
    for name in ("dropout_mask", "recurrent_dropout_mask"):
        masks[name] = options.pop(name)
        if masks[name] is not None and cell.gates == 1:
            masks[name] = masks[name].reshape(batch, -1)
        elif masks[name] is not None and (row["recurrent_dropout_mask"] or masks[name].ndim == 3):
            per_gate = reference.per_gate(masks[name], cell.gates, np.float64)
            masks[name] = list(np.moveaxis(per_gate, 1, 0))
            options.update(implementation=1, use_cudnn=False)
    rate = {name.removesuffix("_mask"): 0.5 for name, given in masks.items() if given is not None}
    layer = layer_of(
        keras.layers, cell.id, UNITS, return_state=True, dtype="float64", **rate, **options
    )
    layer.build(x.shape)
    layer.set_weights(weights)
    for name, given in masks.items():
        setattr(layer.cell, f"get_{name}", lambda _, given=given: given)
    outputs, *states = layer(x, initial_state=initial, mask=mask, training=True)
    outputs = np.asarray(outputs)
    if row["go_backwards"] and row["return_sequences"]:  # Keras's are in the order of the walk
        outputs = outputs[:, ::-1]
    np.testing.assert_allclose(want.outputs, outputs, rtol=0, atol=1e-13)
    for a, b in zip(want.states, states, strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=0, atol=1e-13)


# --- Published numbers ----------------------------------------------------------------------------

_ORACLES = {
    ("simple_rnn", None): reference.SimpleRNN,
    ("lstm", None): reference.LSTM,
    ("gru", True): reference.GRUResetAfter,
    ("gru", False): reference.GRUResetBefore,
}


def run_layer(
    layer: dict[str, Any], x: np.ndarray, states: Any, mask: np.ndarray | None
) -> tuple[np.ndarray, reference.States]:
    """Outputs at their own times, and the last states."""
    cell = _ORACLES[layer["cell"], layer.get("reset_after") if layer["cell"] == "gru" else None]
    outputs, states, _ = reference.rnn_forward(
        cell, x, layer["kernel"], layer["recurrent_kernel"], layer["bias"], states, mask=mask,
        go_backwards=layer["go_backwards"],
        zero_output_for_mask=layer["zero_output_for_mask"],
        activation=layer["activation"],
        recurrent_activation=layer.get("recurrent_activation", "sigmoid"),
        return_sequences=layer["return_sequences"],
    )  # fmt: skip
    return outputs, states


MERGE: dict[str | None, Callable[..., list[np.ndarray]]] = {
    "concat": lambda a, b: [np.concatenate([a, b], axis=-1)],
    "sum": lambda a, b: [a + b],
    "ave": lambda a, b: [(a + b) / 2],
    "mul": lambda a, b: [a * b],
    None: lambda a, b: [a, b],
}


def run_bidirectional(case: dict[str, Any], step: dict[str, Any], kept: Any) -> Any:
    given, count = step["initial_state"], len(case["layers"])
    if given is not None:
        half = len(given) // count
        kept = [tuple(given[k * half : (k + 1) * half]) for k in range(count)]
    results = [
        run_layer(layer, step["x"], states, step["mask"])
        for layer, states in zip(case["layers"], kept, strict=True)
    ]
    outputs, states = zip(*results, strict=True)
    return MERGE[case["merge_mode"]](*outputs), list(states)


def run_stack(case: dict[str, Any], step: dict[str, Any], kept: Any) -> Any:
    y, states = step["x"], []
    if step["initial_state"] is not None:
        kept = [tuple(step["initial_state"]), *kept[1:]]
    for layer, before in zip(case["layers"], kept, strict=True):
        y, after = run_layer(layer, y, before, step["mask"])
        if layer["go_backwards"] and layer["return_sequences"]:  # Keras: in the walk's order
            y = y[:, ::-1]
        states.append(after)
    return [y], states


def test_published_case(published_case: dict[str, Any], cases: Any) -> None:
    """The caller carries the state of a stateful layer."""
    if published_case["kind"] == "time_distributed_dense":
        pytest.skip("not in the oracle: TimeDistributed")
    layers = published_case["layers"]
    run = run_bidirectional if published_case["kind"] == "bidirectional" else run_stack
    kept: list[Any] = [None] * len(layers)
    flat: list[np.ndarray] = []
    for step in published_case["steps"]:
        if step["op"] == "reset":
            kept = [None] * len(layers)
            continue
        outputs, states = run(published_case, step, kept)
        kept = [s if layer["stateful"] else None for s, layer in zip(states, layers, strict=True)]
        flat = [*outputs, *(array for of_layer in states for array in of_layer)]
    cases.check(published_case, flat)
