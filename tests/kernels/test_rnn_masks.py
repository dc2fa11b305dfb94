"""Masks of any pattern: against the oracle, and what holds of them whatever the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.pairwise import pairwise
from support.rnn_cells import CELLS, Cell
from support.rnn_problems import (
    MASKS,
    SIZES,
    assert_same_bits,
    check,
    embedded,
    make_problem,
    row_id,
    run,
    with_options,
)

MASKED = pairwise(
    {
        "mask": MASKS,
        "batch": (1, 7, 17, 33, 65),
        "steps": (1, 7, 17, 33, 65),
        "features": (1, 7, 33, 130),
        "units": SIZES,
        "input": ("tensor", "mixed", "padded"),
        "zero_output_for_mask": (False, True),
        "go_backwards": (False, True),
        "return_sequences": (True, False),
        "initial_state": (True, False),
        "use_bias": (True, False),
        "d_outputs": (True, False),
        "d_states": ("all", "none", "first", "last"),
    }
)

SIZE = {"batch": 21, "steps": 12, "features": 9, "units": 33}

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
masks = pytest.mark.parametrize("mask", MASKS)
directions = pytest.mark.parametrize("go_backwards", [False, True], ids=["forwards", "backwards"])


@cells
@pytest.mark.parametrize("row", MASKED, ids=row_id)
def test_against_oracle(cell: Cell, row: dict[str, Any], isa: str) -> None:
    check(cell, row)


@cells
@masks
@directions
def test_masked_outputs(
    cell: Cell, mask: str, go_backwards: bool, isa: str, rng: np.random.Generator
) -> None:
    """To the bit: the output before in the walk, zeros if there was none; or zeros in any case."""
    row = {**SIZE, "mask": mask, "go_backwards": go_backwards}
    problem = make_problem(cell, row, rng)
    held, _ = run(cell, problem)
    outputs, walked = held["outputs"], problem.options["mask"]
    times = range(SIZE["steps"])
    before = np.zeros_like(outputs[:, 0])
    for t in reversed(times) if go_backwards else times:
        left_out = ~walked[:, t]
        np.testing.assert_array_equal(outputs[left_out, t], before[left_out])
        before = outputs[:, t]
    zeroed, _ = run(cell, with_options(problem, zero_output_for_mask=True))
    np.testing.assert_array_equal(zeroed["outputs"], outputs * walked[..., None])
    for state in ("states[0]", "states[1]")[: cell.states]:
        np.testing.assert_array_equal(zeroed[state], held[state])
    never = ~np.any(walked, axis=1)
    for k in range(cell.states):
        np.testing.assert_array_equal(held[f"states[{k}]"][never], problem.initial_state[k][never])
    any_walked = ~never
    np.testing.assert_array_equal(before[any_walked], held["states[0]"][any_walked])


@cells
@directions
@pytest.mark.parametrize("zero_output_for_mask", [False, True])
def test_last_output_is_the_last_of_the_walk(
    cell: Cell, zero_output_for_mask: bool, go_backwards: bool, isa: str, rng: np.random.Generator
) -> None:
    row = {**SIZE, "mask": "random", "go_backwards": go_backwards}
    problem = make_problem(cell, row, rng)
    problem = with_options(problem, zero_output_for_mask=zero_output_for_mask)
    x, weights, initial_state, options, *_ = problem
    all_outputs = cell.forward(x, *weights, initial_state, **options).outputs
    options = {**options, "return_sequences": False}
    last = cell.forward(x, *weights, initial_state, **options)
    np.testing.assert_array_equal(last.outputs, all_outputs[:, 0 if go_backwards else -1])


@cells
@masks
@pytest.mark.parametrize("filler", [1e30, np.nan])
def test_what_stands_at_masked_steps_has_no_effect(
    cell: Cell, filler: float, mask: str, isa: str, rng: np.random.Generator
) -> None:
    problem = make_problem(cell, {**SIZE, "mask": mask}, rng)
    walked = problem.options["mask"]
    filled = problem._replace(x=np.where(walked[..., None], problem.x, np.float32(filler)))
    want, got = run(cell, problem)[0], run(cell, filled)[0]
    assert_same_bits(want, got)
    assert not np.any(got["x"][~walked])


@cells
@masks
def test_tokens_at_masked_steps_get_no_gradient(
    cell: Cell, mask: str, isa: str, rng: np.random.Generator
) -> None:
    """A token that stands only where nothing walks is neither read nor trained."""
    problem = make_problem(cell, {**SIZE, "mask": mask, "input": "mixed"}, rng)
    walked, (tokens, table) = problem.options["mask"], problem.x
    unused = len(table) - 1
    table[unused] = np.nan
    hidden = np.where(walked, tokens, unused)
    got, tape = run(cell, problem._replace(x=embedded(hidden, table)))
    assert all(np.all(np.isfinite(array)) for array in got.values())
    assert not np.any(got["x"][unused])
    assert tape.distinct == len(np.unique(tokens[walked]))


@cells
@directions
def test_a_masked_row_is_its_walked_steps_alone(
    cell: Cell, go_backwards: bool, isa: str, rng: np.random.Generator
) -> None:
    row = {**SIZE, "mask": "random", "go_backwards": go_backwards, "return_sequences": False}
    problem = make_problem(cell, row, rng)
    got, _ = run(cell, problem)
    for b, walked in enumerate(problem.options["mask"]):
        if not np.any(walked):
            continue
        one = slice(b, b + 1)
        initial_state = tuple(state[one] for state in problem.initial_state)
        short = cell.forward(
            problem.x[one, walked], *problem.weights, initial_state, go_backwards=go_backwards
        )
        gradients = cell.backward(
            short.tape, problem.d_outputs[one], tuple(d[one] for d in problem.d_states)
        )
        for k in range(cell.states):
            np.testing.assert_array_equal(got[f"states[{k}]"][one], short.states[k])
        np.testing.assert_array_equal(got["outputs"][one], short.outputs)
        limit = 1e-5 * np.max(np.abs(gradients.x))
        np.testing.assert_allclose(got["x"][one, walked], gradients.x, rtol=0, atol=limit)


@cells
@directions
def test_a_mask_of_true_changes_nothing(
    cell: Cell, go_backwards: bool, isa: str, rng: np.random.Generator
) -> None:
    row = {**SIZE, "mask": "all_walked", "go_backwards": go_backwards}
    problem = make_problem(cell, row, rng)
    plain = problem._replace(options={**problem.options, "mask": None})
    assert_same_bits(run(cell, plain)[0], run(cell, problem)[0])


@cells
def test_masks_in_any_layout(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    row = {**SIZE, "mask": "random", "dropout_mask": "per_gate", "recurrent_dropout_mask": "shared"}
    problem = make_problem(cell, row, rng)
    want, _ = run(cell, problem)
    names = ("mask", "dropout_mask", "recurrent_dropout_mask")
    for change in (
        np.asfortranarray,
        lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
        lambda array: array.astype(np.float64),
        lambda array: array.astype(np.int8) if array.dtype == bool else array,
        lambda array: array.tolist(),
    ):
        changed = {name: change(problem.options[name]) for name in names}
        assert_same_bits(want, run(cell, with_options(problem, **changed))[0])
