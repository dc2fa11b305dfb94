"""Forward and every gradient of each cell against the float64 oracle, on every ISA level.

Masks, dropout and shared padding have files of their own beside this one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support import reference
from support.pairwise import pairwise
from support.rnn_cells import CELLS, Cell, flatten, normal
from support.rnn_problems import (
    SIZES,
    assert_plan,
    assert_results,
    check,
    problem_and_answers,
    row_id,
    run,
    wanted,
)

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
        "go_backwards": (False, True),
    }
)

# Layers whose weights exceed a core's caches, and sizes with long tails behind a wide tile.
WIDE = pairwise(
    {
        "units": (256, 263),
        "batch": (1, 2, 5, 40),
        "steps": (1, 3),
        "features": (9, 300),
        "input": ("tensor", "mixed"),
        "initial_state": (True, False),
        "return_sequences": (True, False),
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


def in_layout(array: np.ndarray | None, layout: str) -> np.ndarray | None:
    """The same numbers, stored otherwise."""
    if array is None:
        return None
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "float64":
        return array.astype(np.float64)
    if layout == "strided":
        wide = np.full((*array.shape[:-1], 2 * array.shape[-1] + 1), np.nan, np.float32)
        wide[..., 1::2] = array
        return wide[..., 1::2]
    return array


@cells
@pytest.mark.parametrize("row", SHAPES_AND_FLAGS, ids=row_id)
def test_sizes_and_flags(cell: Cell, row: dict[str, Any], isa: str) -> None:
    problem, exact, float32 = problem_and_answers(cell, tuple(row.items()))
    laid_out = problem._replace(
        x=in_layout(problem.x, row["layout"]),
        weights=tuple(in_layout(w, row["layout"]) for w in problem.weights),
        d_outputs=in_layout(problem.d_outputs, row["layout"]),
    )
    got, tape = run(cell, laid_out, input_gradient=row["input_gradient"])
    assert_plan(tape, problem)
    assert_results(problem, got, wanted(exact, problem, row["input_gradient"]), float32)


@cells
@pytest.mark.parametrize("row", WIDE, ids=row_id)
def test_wide_layers(cell: Cell, row: dict[str, Any], isa: str) -> None:
    check(cell, row)


@cells
def test_activations(cell: Cell, isa: str) -> None:
    for row in ACTIVATIONS:
        sizes = dict(zip(("batch", "steps", "features", "units"), row["sizes"], strict=True))
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
