"""Batches that hold the steps of all rows time after time: the same walk as behind a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.rnn_cells import CELLS, Cell
from support.rnn_problems import make_problem, run

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
directions = pytest.mark.parametrize("go_backwards", [False, True], ids=["forwards", "backwards"])

STEPS = 12
LENGTHS = {
    "all equal": np.full(21, STEPS),
    "falling": np.sort(np.arange(21) * 5 % STEPS + 1)[::-1],
    "one row": np.array([STEPS]),
}


@cells
@directions
@pytest.mark.parametrize("units", [9, 33])
@pytest.mark.parametrize("name", LENGTHS)
def test_same_bits_as_with_a_mask(
    cell: Cell, name: str, units: int, go_backwards: bool, isa: str, rng: np.random.Generator
) -> None:
    lengths = LENGTHS[name]
    row: dict[str, Any] = {"batch": len(lengths), "steps": STEPS, "features": 9, "units": units}
    row |= {"mask": "all_walked", "go_backwards": go_backwards}
    problem = make_problem(cell, row, rng)
    mask = np.arange(STEPS) < lengths[:, None]
    options = {**problem.options, "zero_output_for_mask": True}
    want, _ = run(cell, problem._replace(options={**options, "mask": mask}))
    walked = mask.T  # of all rows, time after time

    def packed(array: np.ndarray) -> np.ndarray:
        return np.swapaxes(array, 0, 1)[walked]

    options |= {"mask": None, "batch_sizes": walked.sum(axis=1)}
    got, _ = run(
        cell,
        problem._replace(x=packed(problem.x), d_outputs=packed(problem.d_outputs), options=options),
    )
    want |= {each: packed(want[each]) for each in ("x", "outputs")}
    assert got.keys() == want.keys()
    for key, value in got.items():
        np.testing.assert_array_equal(value, want[key], err_msg=key)


@pytest.mark.parametrize(
    ("sizes", "match"),
    [
        ([1, 2], "none greater than the one before"),
        ([2, 0], "positive"),
        ([], "positive"),
        ([[2, 1]], "one for each step"),
        ([2, 2], r"must have shape \(4, None\)"),
    ],
)
def test_bad_batch_sizes(sizes: Any, match: str) -> None:
    cell = CELLS[0]
    weights = np.ones((4, cell.gates * 4)), np.ones((4, cell.gates * 4))
    with pytest.raises(ValueError, match=match):
        cell.forward(np.ones((3, 4)), *weights, batch_sizes=sizes)


def test_not_with_a_mask() -> None:
    cell = CELLS[0]
    weights = np.ones((4, cell.gates * 4)), np.ones((4, cell.gates * 4))
    with pytest.raises(ValueError, match="`mask` must be None"):
        cell.forward(np.ones((3, 4)), *weights, batch_sizes=[2, 1], mask=np.ones((2, 2), bool))
