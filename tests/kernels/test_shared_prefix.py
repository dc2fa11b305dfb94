"""Padding in front, walked once for all rows: the results are those of every row on its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.pairwise import pairwise
from support.rnn_cells import CELLS, Cell, normal
from support.rnn_problems import (
    SIZES,
    VOCABULARY,
    answer,
    assert_plan,
    assert_results,
    assert_same_bits,
    embedded,
    make_problem,
    row_id,
    rows_of,
    run,
    shared_runs,
    wanted,
    with_options,
)

# How many times each row begins with the token of padding.
RUNS = ("ragged", "short", "equal", "whole", "one_row", "last_row", "none")

SHARED = pairwise(
    {
        "runs": RUNS,
        "padding": (0, 17, VOCABULARY - 1),
        "batch": (7, 8, 17, 33, 65),
        "steps": (1, 7, 17, 33, 65),
        "features": (1, 7, 33),
        "units": SIZES,
        "go_backwards": (False, True),
        "return_sequences": (True, False),
        "initial_state": (False,),
        "use_bias": (True, False),
        "d_outputs": (True, False),
        "d_states": ("none", "all", "first", "last"),
    }
)
WIDE = pairwise(
    {
        "runs": RUNS,
        "padding": (0, 17),
        "batch": (8, 9, 40),
        "steps": (6,),
        "features": (9, 260),
        "units": (256, 263),
        "initial_state": (False,),
        "return_sequences": (True, False),
    }
)

SIZE = {
    "batch": 21, "steps": 12, "features": 9, "units": 33,
    "runs": "ragged", "padding": 0, "initial_state": False,
}  # fmt: skip

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)


def padded_problem(cell: Cell, row: dict[str, Any], rng: np.random.Generator) -> Any:
    """Tokens other than `padding`, in front of which stand the row's runs of it."""
    batch, steps, padding = row["batch"], row["steps"], row["padding"]
    problem = make_problem(cell, row, rng)
    t, b = np.arange(steps), np.arange(batch)[:, None]
    runs = {
        "ragged": rng.permuted(np.arange(batch) * (steps + 1) // batch)[:, None],
        "short": rng.integers(0, min(2, steps) + 1, (batch, 1)),
        "equal": np.full((batch, 1), (steps + 1) // 2),
        "whole": np.full((batch, 1), steps),
        "one_row": np.where(b == batch // 2, steps, 1),
        "last_row": np.where(b == batch - 1, 1, (b * 7) % (steps + 1)),
        "none": np.zeros((batch, 1)),
    }[row["runs"]]
    others = np.setdiff1d(np.arange(VOCABULARY), [padding])
    tokens = np.where(t < runs, padding, rng.choice(others, (batch, steps)))
    if row.get("go_backwards"):
        tokens = tokens[:, ::-1]
    return problem._replace(x=embedded(tokens, normal(rng, VOCABULARY, row["features"])))


@functools.lru_cache(maxsize=2)
def problem_and_answers(cell: Cell, items: tuple[tuple[str, Any], ...]) -> tuple[Any, ...]:
    """Kept while the ISA level changes."""
    row = dict(items)
    problem = padded_problem(cell, row, np.random.default_rng(list(row_id(row).encode())))
    return problem, answer(cell, problem), answer(cell, problem, np.float32)


def check(cell: Cell, problem: Any, exact: Any, float32: Any) -> None:
    got, tape = run(cell, problem)
    assert_plan(tape, problem)
    assert_results(problem, got, wanted(exact, problem), float32)


@cells
@pytest.mark.parametrize("row", [*SHARED, *WIDE], ids=row_id)
def test_against_oracle(cell: Cell, row: dict[str, Any], isa: str) -> None:
    check(cell, *problem_and_answers(cell, tuple(row.items())))


@cells
@pytest.mark.parametrize("runs", ["ragged", "one_row", "last_row", "equal", "whole"])
def test_same_bits_for_any_number_of_threads(
    cell: Cell, runs: str, isa: str, set_threads: Callable[[int], None], rng: np.random.Generator
) -> None:
    """Some rows are walked beside the prefix, some before or after it; wide ones by all threads."""
    for units, steps in ((50, 65), (263, 17)):
        row = {**SIZE, "batch": 65, "steps": steps, "units": units, "runs": runs}
        problem, results = padded_problem(cell, row, rng), []
        for threads in (1, 2, 3, 4, 7):
            set_threads(threads)
            results.append(run(cell, problem)[0])
        for result in results[1:]:
            assert_same_bits(results[0], result)


def test_the_shared_runs_of_known_batches() -> None:
    """What `shared_runs` expects of the kernels, by hand."""
    for tokens, runs in (
        ([[0, 0, 5], [0, 5, 0], [5, 0, 0]] * 4, [2, 1, 0] * 4),  # 4, 8 and 12 rows have as many
        ([[4, 4, 4], [2, 2, 3]] * 8, [0, 2] * 8),  # of two equally common ones the smaller
        ([[4, 4, 4], [2, 2, 3], [4, 2, 4]] * 8, [3, 0, 1] * 8),  # the commoner
        ([[9, 1], [3, 3], [7, 7]] * 8, [0, 2, 0] * 8),
        ([[6, 6]] * 8, [2] * 8),
        ([[6, 6]] * 7, [0] * 7),  # too few rows
    ):
        expected = np.minimum(runs, np.sort(runs)[-8] if len(runs) >= 8 else 0)
        np.testing.assert_array_equal(shared_runs(np.array(tokens)), expected)
    known = np.array([[0, 0, 0]] * 3 + [[0, 0, 5]] * 5 + [[0, 5, 0]])
    np.testing.assert_array_equal(shared_runs(known), [2] * 8 + [1])
    np.testing.assert_array_equal(shared_runs(known[:, ::-1], True), [2] * 8 + [1])


@cells
@pytest.mark.parametrize("go_backwards", [False, True])
def test_which_token_is_shared(
    cell: Cell, go_backwards: bool, isa: str, rng: np.random.Generator
) -> None:
    """Any token can be padding; few tokens give runs and ties of every kind."""
    for _ in range(20):
        batch, steps = rng.integers(6, 30), rng.integers(1, 6)
        tokens = rng.integers(0, 3, (batch, steps))
        sizes = {"batch": batch, "steps": steps, "features": 3, "units": 5}
        row = {**sizes, "initial_state": False, "go_backwards": go_backwards}
        problem = make_problem(cell, row, rng)._replace(x=embedded(tokens, normal(rng, 3, 3)))
        check(cell, problem, answer(cell, problem), answer(cell, problem, np.float32))


@cells
@pytest.mark.parametrize(
    "difference", ["initial_state", "mask", "dropout_mask", "recurrent_dropout_mask", "one row"]
)
def test_rows_that_may_differ_share_nothing(
    cell: Cell, difference: str, isa: str, rng: np.random.Generator
) -> None:
    problem = padded_problem(cell, SIZE, rng)
    batch, steps, features, units = (SIZE[n] for n in ("batch", "steps", "features", "units"))
    zeros = np.zeros((batch, units), np.float32)
    different = {
        "initial_state": problem._replace(initial_state=(zeros,) * cell.states),
        "mask": with_options(problem, mask=np.ones((batch, steps), bool)),
        "dropout_mask": with_options(problem, dropout_mask=np.ones((batch, features))),
        "recurrent_dropout_mask": with_options(
            problem, recurrent_dropout_mask=np.ones((batch, units))
        ),
        "one row": rows_of(problem, slice(batch - 1, batch)),
    }[difference]
    _, tape = run(cell, different)
    assert tape.prefix == 0
    assert tape.positions == (steps if difference == "one row" else batch * steps)


@cells
def test_states_of_zeros_share_nothing_and_give_the_same_bits(
    cell: Cell, isa: str, rng: np.random.Generator
) -> None:
    """A step's result does not depend on how many rows it was taken for."""
    problem = padded_problem(cell, SIZE, rng)
    zeros = np.zeros((SIZE["batch"], SIZE["units"]), np.float32)
    shared, tape = run(cell, problem)
    alone, tape_alone = run(cell, problem._replace(initial_state=(zeros,) * cell.states))
    assert (tape.prefix > 0, tape_alone.prefix) == (True, 0)
    forward = ("outputs", *(f"states[{k}]" for k in range(cell.states)))
    assert_same_bits(
        {name: shared[name] for name in forward}, {name: alone[name] for name in forward}
    )
    for name in ("x", "kernel", "recurrent_kernel", "bias"):
        limit = 1e-5 * np.max(np.abs(alone[name]))
        np.testing.assert_allclose(shared[name], alone[name], rtol=0, atol=limit, err_msg=name)


def test_a_tape_tells_but_does_not_listen(rng: np.random.Generator) -> None:
    _, tape = run(CELLS[0], padded_problem(CELLS[0], SIZE, rng))
    for name in ("positions", "distinct", "prefix"):
        with pytest.raises(AttributeError):
            setattr(tape, name, 0)
