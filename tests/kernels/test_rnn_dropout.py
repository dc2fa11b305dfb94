"""Dropout masks of x and of the state, one for all gates or one for each, against the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.pairwise import pairwise
from support.rnn_cells import CELLS, Cell, normal
from support.rnn_problems import (
    DROPOUTS,
    SIZES,
    assert_same_bits,
    check,
    embedded,
    make_problem,
    row_id,
    run,
    with_options,
)

DROPPED = pairwise(
    {
        "dropout_mask": DROPOUTS,
        "recurrent_dropout_mask": DROPOUTS,
        "batch": (1, 7, 17, 33, 65),
        "steps": (1, 2, 7, 17, 33),
        "features": SIZES,
        "units": SIZES,
        "mask": (None, "left", "random", "one_row", "none_walked"),
        "input": ("tensor", "mixed", "padded"),
        "zero_output_for_mask": (False, True),
        "go_backwards": (False, True),
        "return_sequences": (True, False),
        "initial_state": (True, False),
        "use_bias": (True, False),
        "d_states": ("all", "none", "first", "last"),
    }
)
# The three ways of either in full, where what is packed once for all gates is told from the rest.
TOGETHER = [
    {
        "batch": 33, "steps": 5, "features": 20, "units": 50,
        "dropout_mask": x, "recurrent_dropout_mask": h, "input": kind, "mask": mask,
    }
    for x in DROPOUTS
    for h in DROPOUTS
    for kind in ("tensor", "mixed")
    for mask in (None, "random")
]  # fmt: skip
WIDE = pairwise(
    {
        "units": (256, 263),
        "batch": (2, 20),
        "steps": (3,),
        "features": (9, 260),
        "dropout_mask": DROPOUTS,
        "recurrent_dropout_mask": DROPOUTS,
        "input": ("tensor", "mixed"),
        "mask": (None, "random"),
    }
)

SIZE = {"batch": 21, "steps": 6, "features": 9, "units": 33}
BOTH = {"dropout_mask": "per_gate", "recurrent_dropout_mask": "per_gate"}

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
inputs = pytest.mark.parametrize("kind", ["tensor", "mixed"])


@cells
@pytest.mark.parametrize("row", [*DROPPED, *TOGETHER, *WIDE], ids=row_id)
def test_against_oracle(cell: Cell, row: dict[str, Any], isa: str) -> None:
    check(cell, row)


@cells
@inputs
@pytest.mark.parametrize("name", ["dropout_mask", "recurrent_dropout_mask"])
def test_a_shared_mask_is_the_same_mask_for_each_gate(
    cell: Cell, name: str, kind: str, isa: str, rng: np.random.Generator
) -> None:
    shared = make_problem(cell, {**SIZE, name: "shared", "input": kind}, rng)
    mask = shared.options[name]
    per_gate = np.repeat(mask[:, None], cell.gates, axis=1)
    want, got = run(cell, shared)[0], run(cell, with_options(shared, **{name: per_gate}))[0]
    for key, array in want.items():
        limit = 1e-5 * np.max(np.abs(array), initial=0)
        np.testing.assert_allclose(got[key], array, rtol=0, atol=limit, err_msg=key)


@cells
@inputs
def test_masks_of_ones_change_nothing_but_rounding(
    cell: Cell, kind: str, isa: str, rng: np.random.Generator
) -> None:
    problem = make_problem(cell, {**SIZE, **BOTH, "input": kind}, rng)
    plain = with_options(problem, dropout_mask=None, recurrent_dropout_mask=None)
    ones = {name: np.ones_like(problem.options[name]) for name in BOTH}
    want, got = run(cell, plain)[0], run(cell, with_options(problem, **ones))[0]
    for key, array in want.items():
        limit = 1e-5 * np.max(np.abs(array), initial=0)
        np.testing.assert_allclose(got[key], array, rtol=0, atol=limit, err_msg=key)


@cells
def test_dropped_features_get_no_gradient(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    """A factor of zero cuts the feature off: of that row alone, for that gate alone."""
    problem = make_problem(cell, {**SIZE, **BOTH}, rng)
    x_mask = np.ones_like(problem.options["dropout_mask"])
    x_mask[3, :, 5] = 0  # all gates of a row
    x_mask[:, 0, 7] = 0  # one gate of all rows
    got, _ = run(cell, with_options(problem, dropout_mask=x_mask))
    assert not np.any(got["x"][3, :, 5])
    assert np.all(got["x"][4, :, 5] != 0)
    units = SIZE["units"]
    assert not np.any(got["kernel"][7, :units])
    if cell.gates > 1:
        assert np.all(got["kernel"][7, units:] != 0)


@cells
def test_dropped_states_get_no_gradient(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    problem = make_problem(cell, {**SIZE, **BOTH}, rng)
    h_mask = np.ones_like(problem.options["recurrent_dropout_mask"])
    h_mask[:, -1, 7] = 0
    got, _ = run(cell, with_options(problem, recurrent_dropout_mask=h_mask))
    units = SIZE["units"]
    assert not np.any(got["recurrent_kernel"][7, -units:])
    assert np.all(got["recurrent_kernel"][6, -units:] != 0)
    if cell.gates > 1:
        assert np.all(got["recurrent_kernel"][7, :units] != 0)


@cells
def test_everything_dropped(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    """Rate 1, which SimpleRNN allows: neither x nor the state enters a product."""
    problem = make_problem(cell, {**SIZE, **BOTH}, rng)
    zeros = {name: np.zeros_like(problem.options[name]) for name in BOTH}
    dropped = with_options(problem, **zeros)
    got, _ = run(cell, dropped)
    for name in ("x", "kernel", "recurrent_kernel"):
        assert not np.any(got[name]), name
    elsewhere = dropped._replace(x=normal(rng, *problem.x.shape))
    assert_same_bits(got, run(cell, elsewhere)[0])


@cells
@pytest.mark.parametrize("repeats", [1, 4])
@pytest.mark.parametrize("mask", [None, "random"])
def test_tokens_of_a_row_are_projected_once_where_they_repeat(
    cell: Cell, repeats: int, mask: str | None, isa: str, rng: np.random.Generator
) -> None:
    """The results are those of the vectors of the tokens, with the same masks."""
    from fastrnn import kernels

    row = {"batch": 5, "steps": 24, "features": 7, "units": 9, "mask": mask}
    problem = make_problem(cell, {**row, "dropout_mask": "shared"}, rng)
    tokens = np.array([rng.permutation(40)[: 24 // repeats] for _ in range(5)])
    tokens = np.repeat(tokens, repeats, axis=1)
    table = normal(rng, 40, 7)
    got, tape = run(cell, problem._replace(x=embedded(tokens, table)))
    want, _ = run(cell, problem._replace(x=table[tokens]))
    walked = problem.options.get("mask", np.ones((5, 24), bool))
    pairs = sum(len(np.unique(own[here])) for own, here in zip(tokens, walked, strict=True))
    assert tape.distinct == (pairs if repeats > 1 else len(np.unique(tokens[walked])))
    want["x"] = kernels.embedding_backward(tokens, want["x"], 40)
    assert want.keys() == got.keys()
    for key, array in want.items():
        limit = 1e-5 * np.max(np.abs(array), initial=0)
        np.testing.assert_allclose(got[key], array, rtol=0, atol=limit, err_msg=key)
