"""Forward and every gradient of each cell against the float64 oracle, on every ISA level."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import reference
from float32_error import assert_exact_enough
from pairwise import pairwise
from rnn_cells import CELLS, Cell, flatten, normal

SIZES = (
    1,
    7,
    17,
    33,
    65,
    130,
)  # below, at and beyond the vectors and register tiles of every level

# The loss is so steep that no gradient becomes denormal on its way back through 130 steps: NumPy's
# float32 run of the oracle would take minutes.
STEEP = np.float32(2.0**40)

SHAPES_AND_FLAGS = pairwise(
    {
        "batch": SIZES,
        "steps": SIZES,
        "features": SIZES,
        "units": SIZES,
        "use_bias": (True, False),
        "initial_state": (True, False),
        "return_sequences": (True, False),
        "d_outputs": (True, False),
        "d_states": ("all", "none", "first", "last"),
        "input_gradient": (True, False),
        "layout": ("C", "F", "float64", "strided"),
    }
)

ACTIVATIONS = pairwise(
    {
        "activation": tuple(reference.ACTIVATIONS),
        "recurrent_activation": tuple(reference.ACTIVATIONS),
        "sizes": ((3, 4, 5, 19), (5, 3, 2, 33)),
    }
)

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)


def row_id(row: dict[str, Any]) -> str:
    return "-".join(str(value) for value in row.values()).replace(" ", "")


def in_layout(array: np.ndarray, layout: str) -> np.ndarray:
    """The same numbers, stored otherwise."""
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "float64":
        return array.astype(np.float64)
    if layout == "strided":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1] + 1), np.nan, np.float32)
        wide[..., 1::2] = array
        return wide[..., 1::2]
    return array


def mask_states(states: tuple[np.ndarray, ...], which: str) -> tuple[np.ndarray | None, ...] | None:
    if which == "none":
        return None
    kept = {"all": range(len(states)), "first": (0,), "last": (len(states) - 1,)}[which]
    return tuple(state if k in kept else None for k, state in enumerate(states))


@functools.lru_cache(maxsize=2)
def problem(cell: Cell, items: tuple[tuple[str, Any], ...]) -> tuple[Any, ...]:
    """Inputs and the oracle's answers in float64 and float32; kept while the ISA level changes."""
    row = dict(items)
    rng = np.random.default_rng(list(row_id(row).encode()))
    batch, steps, features, units = row["batch"], row["steps"], row["features"], row["units"]
    x = normal(rng, batch, steps, features)
    weights = cell.weights(rng, features, units, row.get("use_bias", True))
    initial = cell.random_states(rng, batch, units) if row.get("initial_state", True) else None
    options = {"return_sequences": row.get("return_sequences", True)}
    if "activation" in row:
        options["activation"] = row["activation"]
        if cell.gated:
            options["recurrent_activation"] = row["recurrent_activation"]
    shape = (batch, steps, units) if options["return_sequences"] else (batch, units)
    d_outputs = STEEP * normal(rng, *shape) if row.get("d_outputs", True) else None
    d_states = tuple(STEEP * d for d in cell.random_states(rng, batch, units))
    d_states = mask_states(d_states, row.get("d_states", "all"))
    answers = []
    for dtype in (np.float64, np.float32):
        output = reference.rnn_forward(cell.oracle, x, *weights, initial, **options, dtype=dtype)
        gradients = reference.rnn_backward(output.tape, d_outputs, d_states)
        answers.append({**flatten(output), **flatten(gradients)})
    return x, weights, initial, options, d_outputs, d_states, answers


def check(cell: Cell, row: dict[str, Any], factor: float = 4) -> None:
    x, weights, initial, options, d_outputs, d_states, answers = problem(cell, tuple(row.items()))
    layout, input_gradient = row.get("layout", "C"), row.get("input_gradient", True)
    kernel, recurrent_kernel, bias = (None if w is None else in_layout(w, layout) for w in weights)
    output = cell.forward(in_layout(x, layout), kernel, recurrent_kernel, bias, initial, **options)
    d_outputs = None if d_outputs is None else in_layout(d_outputs, layout)
    gradients = cell.backward(output.tape, d_outputs, d_states, input_gradient=input_gradient)
    got = {**flatten(output), **flatten(gradients)}
    wanted = set(answers[0]) - (set() if input_gradient else {"x"})
    assert set(got) == wanted
    for name in wanted:
        assert_exact_enough(name, got[name], answers[0][name], answers[1][name], factor)


@cells
@pytest.mark.parametrize("row", SHAPES_AND_FLAGS, ids=row_id)
def test_sizes_and_flags(cell: Cell, row: dict[str, Any], isa: str) -> None:
    check(cell, row)


@cells
def test_activations(cell: Cell, isa: str) -> None:
    for row in ACTIVATIONS:
        batch, steps, features, units = row["sizes"]
        sizes = {"batch": batch, "steps": steps, "features": features, "units": units}
        try:
            # Gates without bounds amplify each rounding error, the yardstick's and ours.
            check(cell, {**sizes, **row}, factor=10)
        except AssertionError as error:
            raise AssertionError(f"{row_id(row)}: {error}") from error


@cells
def test_saturated_gates(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    """Pre-activations of thousands: gates of exactly 0 and 1, gradients of zero, nothing NaN."""
    x = 1e4 * normal(rng, 9, 6, 5)
    weights = cell.weights(rng, 5, 21)
    output = cell.forward(x, *weights, return_sequences=True)
    exact = reference.rnn_forward(cell.oracle, x, *weights, return_sequences=True)
    np.testing.assert_allclose(output.outputs, exact.outputs, rtol=0, atol=1e-5)
    gradients = cell.backward(output.tape, np.ones_like(output.outputs))
    assert all(np.all(np.isfinite(array)) for array in flatten(gradients).values())


@cells
def test_a_nan_stays_in_its_row(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    x = normal(rng, 5, 4, 3)
    x[2, 1, 0] = np.nan
    outputs = cell.forward(x, *cell.weights(rng, 3, 18), return_sequences=True).outputs
    assert np.all(np.isnan(outputs[2, 1:]))
    assert np.all(np.isfinite(np.delete(outputs, 2, axis=0)))
    assert np.all(np.isfinite(outputs[2, :1]))
