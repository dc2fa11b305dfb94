"""`ops.Embedded` tokens give what the embedded sequences give; the gradient of x is the table's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reference
from float32_error import assert_exact_enough
from rnn_cells import CELLS, Cell, flatten, normal

VOCABULARY = 40

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
shapes = pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (7, 5, 3, 18), (33, 17, 20, 7), (65, 12, 16, 50)], ids=str
)
which = pytest.mark.parametrize("which", ["mixed", "padded", "one", "last"])


def make_tokens(which: str, rng: np.random.Generator, batch: int, steps: int) -> np.ndarray:
    tokens = rng.integers(0, VOCABULARY // 2, (batch, steps))
    if which == "padded":
        tokens[np.arange(steps) < rng.integers(0, steps + 1, (batch, 1))] = 0
    elif which != "mixed":
        tokens[:] = {"one": 3, "last": VOCABULARY - 1}[which]
    return tokens


def oracle(
    cell: Cell, tokens: np.ndarray, table: np.ndarray, rest: Any, d_outputs: Any, dtype: Any
) -> dict[str, np.ndarray]:
    output = reference.rnn_forward(
        cell.oracle, table[tokens], *rest, return_sequences=True, dtype=dtype
    )
    gradients = reference.rnn_backward(output.tape, d_outputs)
    d_table = reference.embedding_backward(tokens, gradients.x, len(table))
    return {**flatten(output), **flatten(gradients), "x": d_table}


@cells
@shapes
@which
def test_against_oracle(
    cell: Cell, shape: Any, which: str, isa: str, rng: np.random.Generator
) -> None:
    from fastrnn import ops

    batch, steps, features, units = shape
    tokens, table = make_tokens(which, rng, batch, steps), normal(rng, VOCABULARY, features)
    rest = (*cell.weights(rng, features, units), cell.random_states(rng, batch, units))
    d_outputs = normal(rng, batch, steps, units)
    output = cell.forward(ops.Embedded(tokens, table), *rest, return_sequences=True)
    gradients = cell.backward(output.tape, d_outputs)
    got = {**flatten(output), **flatten(gradients)}
    exact, float32 = (
        oracle(cell, tokens, table, rest, d_outputs, dtype) for dtype in (np.float64, np.float32)
    )
    assert set(got) == set(exact)
    for name in exact:
        assert_exact_enough(name, got[name], exact[name], float32[name])
    assert not np.any(got["x"][np.setdiff1d(np.arange(VOCABULARY), tokens)])
    assert cell.backward(output.tape, d_outputs, input_gradient=False).x is None


@cells
@which
def test_same_bits_for_any_number_of_threads(
    cell: Cell, which: str, isa: str, rng: np.random.Generator, set_threads: Callable[[int], None]
) -> None:
    from fastrnn import ops

    tokens, table = make_tokens(which, rng, 65, 12), normal(rng, VOCABULARY, 20)
    weights, d_outputs = cell.weights(rng, 20, 33), normal(rng, 65, 33)
    runs = []
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        output = cell.forward(ops.Embedded(tokens, table), *weights)
        first = cell.backward(output.tape, d_outputs)
        again = cell.backward(output.tape, d_outputs)
        for name, array in flatten(first).items():
            np.testing.assert_array_equal(array, flatten(again)[name])
        runs.append({**flatten(output), **flatten(first)})
    for run in runs[1:]:
        for name, array in runs[0].items():
            np.testing.assert_array_equal(array, run[name], err_msg=name)


@cells
def test_a_row_equals_the_row_alone(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    from fastrnn import ops

    tokens, table = make_tokens("padded", rng, 37, 12), normal(rng, VOCABULARY, 20)
    weights = cell.weights(rng, 20, 33)
    outputs = cell.forward(ops.Embedded(tokens, table), *weights, return_sequences=True).outputs
    for row in (0, 17, 36):
        alone = ops.Embedded(tokens[row : row + 1], table)
        got = cell.forward(alone, *weights, return_sequences=True).outputs
        np.testing.assert_array_equal(got[0], outputs[row])


@cells
def test_bad_input(cell: Cell, rng: np.random.Generator) -> None:
    from fastrnn import ops

    table, weights = normal(rng, VOCABULARY, 3), cell.weights(rng, 3, 4)
    tokens = np.zeros((2, 5), np.int64)
    assert cell.forward(ops.Embedded(tokens, table), *weights).outputs.shape == (2, 4)
    for bad_tokens, bad_table in (
        (tokens + VOCABULARY, table),
        (tokens - 1, table),
        (tokens + 0.5, table),
        (tokens.astype(str), table),
        (tokens[0], table),
        (tokens[None], table),
        (tokens[:, :0], table),
        (tokens, table[0]),
        (tokens, table[:, 1:]),
        (tokens, table.astype(complex)),
    ):
        with pytest.raises((ValueError, TypeError), match="must"):
            cell.forward(ops.Embedded(bad_tokens, bad_table), *weights)
