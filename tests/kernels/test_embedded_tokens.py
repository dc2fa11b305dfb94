"""`kernels.Embedded` tokens give what embedded sequences give; the gradient of x is the table's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.rnn_cells import CELLS, Cell, normal
from support.rnn_problems import TOKENS, VOCABULARY, check, make_problem, run

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
shapes = pytest.mark.parametrize(
    "shape", [(1, 1, 2, 3), (7, 5, 3, 18), (33, 17, 20, 7), (65, 12, 16, 50)], ids=str
)


@cells
@shapes
@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("initial_state", [True, False])
def test_against_oracle(cell: Cell, shape: Any, kind: str, initial_state: bool, isa: str) -> None:
    sizes = dict(zip(("batch", "steps", "features", "units"), shape, strict=True))
    check(cell, {**sizes, "input": kind, "initial_state": initial_state})


@cells
def test_tokens_that_do_not_occur_get_no_gradient(
    cell: Cell, isa: str, rng: np.random.Generator
) -> None:
    sizes = {"batch": 9, "steps": 6, "features": 5, "units": 20}
    problem = make_problem(cell, {**sizes, "input": "mixed"}, rng)
    got, _ = run(cell, problem)
    assert not np.any(got["x"][np.setdiff1d(np.arange(VOCABULARY), problem.x.tokens)])
    assert np.all(np.any(got["x"][np.unique(problem.x.tokens)], axis=1))
    without, _ = run(cell, problem, input_gradient=False)
    assert "x" not in without


@cells
def test_bad_input(cell: Cell, rng: np.random.Generator) -> None:
    from fastrnn import kernels

    table, weights = normal(rng, VOCABULARY, 3), cell.weights(rng, 3, 4)
    tokens = np.zeros((2, 5), np.int64)
    assert cell.forward(kernels.Embedded(tokens, table), *weights).outputs.shape == (2, 4)
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
            cell.forward(kernels.Embedded(bad_tokens, bad_table), *weights)
