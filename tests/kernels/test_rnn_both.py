"""Two recurrent passes side by side: the bits of two calls, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fastrnn import kernels
from support.rnn_cells import CELLS, Cell, flatten
from support.rnn_problems import (
    VARIANTS,
    Problem,
    assert_same_bits,
    make_problem,
    rows_of,
    run,
    with_options,
)

# Batch, steps, features, units. Few rows and many, groups and blocks on the way back, and layers
# through which the team walks together.
SIZES = [(1, 7, 9, 33), (7, 5, 3, 17), (17, 9, 33, 7), (70, 6, 1, 1), (33, 3, 17, 130)]
WIDE = [(1, 9, 20, 300), (9, 3, 20, 515)]
SMALL = SIZES[1]

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)


def make(cell: Cell, sizes: Any, variant: str, rng: np.random.Generator) -> Problem:
    row = dict(zip(("batch", "steps", "features", "units"), sizes, strict=True))
    return make_problem(cell, {**row, **VARIANTS[variant]}, rng)


def forward_call(cell: Cell, problem: Problem) -> dict[str, Any]:
    names = ("kernel", "recurrent_kernel", "bias")
    weights = dict(zip(names, problem.weights, strict=True))
    start = {"x": problem.x, "initial_state": problem.initial_state}
    return {"cell": cell.id, **start, **weights, **problem.options}


def run_both(
    cells: tuple[Cell, Cell], problems: tuple[Problem, Problem], **options: Any
) -> list[dict[str, np.ndarray]]:
    """What `run` returns of each, side by side."""
    outputs = kernels.rnn_forward_both(*map(forward_call, cells, problems))
    back = [
        {"tape": output.tape, "d_outputs": problem.d_outputs, "d_states": problem.d_states}
        for output, problem in zip(outputs, problems, strict=True)
    ]
    gradients = kernels.rnn_backward_both(*({**each, **options} for each in back))
    pair = zip(outputs, gradients, strict=True)
    return [{**flatten(output), **flatten(d)} for output, d in pair]


def assert_as_apart(
    cells: tuple[Cell, Cell],
    problems: tuple[Problem, Problem],
    set_threads: Callable[[int], None],
) -> None:
    set_threads(1)
    apart = [run(cell, problem)[0] for cell, problem in zip(cells, problems, strict=True)]
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        for consume in (False, True):
            both = run_both(cells, problems, consume=consume)
            for one, other in zip(apart, both, strict=True):
                assert_same_bits(one, other)


@cells
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_both_directions(
    cell: Cell,
    sizes: Any,
    variant: str,
    isa: str,
    rng: np.random.Generator,
    set_threads: Callable[[int], None],
) -> None:
    there = make(cell, sizes, variant, rng)
    back = with_options(there, go_backwards=not there.options.get("go_backwards", False))
    weights = cell.weights(rng, *sizes[2:])
    assert_as_apart((cell, cell), (there, back._replace(weights=weights)), set_threads)


@cells
@pytest.mark.parametrize("sizes", WIDE, ids=str)
def test_wide_layers(
    cell: Cell,
    sizes: Any,
    isa: str,
    rng: np.random.Generator,
    set_threads: Callable[[int], None],
) -> None:
    there = make(cell, sizes, "shared_prefix", rng)
    back = with_options(there, go_backwards=True)
    assert_as_apart((cell, cell), (there, back), set_threads)


@pytest.mark.parametrize("number", range(len(CELLS)))
@pytest.mark.parametrize("variants", [("plain", "tokens"), ("shared_prefix", "dropouts_mask")])
@pytest.mark.parametrize("sizes", [(SIZES[1], SIZES[4]), (SIZES[2], WIDE[0]), (WIDE[1], SIZES[3])])
def test_passes_that_are_not_alike(
    number: int,
    variants: tuple[str, str],
    sizes: Any,
    isa: str,
    rng: np.random.Generator,
    set_threads: Callable[[int], None],
) -> None:
    """Other cells, sizes and kinds of inputs; one of them may be none for tasks."""
    pair = CELLS[number], CELLS[number - 1]
    first, second = (make(*each, rng) for each in zip(pair, sizes, variants, strict=True))
    assert_as_apart(pair, (first, second), set_threads)


@pytest.mark.parametrize("empty", [(True, False), (False, True), (True, True)])
def test_empty_batches(empty: tuple[bool, bool], rng: np.random.Generator) -> None:
    cell = CELLS[1]
    one, other = (
        rows_of(make(cell, SMALL, "plain", rng), slice(0, 0 if none else None)) for none in empty
    )
    for alone, beside in zip((one, other), run_both((cell, cell), (one, other)), strict=True):
        assert_same_bits(run(cell, alone)[0], beside)


def test_bad_input(rng: np.random.Generator) -> None:
    """Of one call it is refused before anything is computed of the other."""
    cell = CELLS[1]
    call = forward_call(cell, make(cell, SMALL, "plain", rng))
    with pytest.raises(ValueError, match="Unknown cell: 'none'"):
        kernels.rnn_forward_both(call, call | {"cell": "none"})
    with pytest.raises(TypeError, match="unexpected keyword argument 'masks'"):
        kernels.rnn_forward_both(call, call | {"masks": None})
    with pytest.raises(TypeError, match="missing keyword argument 'recurrent_kernel'"):
        kernels.rnn_forward_both(
            {name: value for name, value in call.items() if name != "recurrent_kernel"}, call
        )
    first, second = kernels.rnn_forward_both(call, call)
    with pytest.raises(ValueError, match="`second` must have another `tape` than `first`"):
        kernels.rnn_backward_both({"tape": first.tape}, {"tape": first.tape})
    with pytest.raises(ValueError, match="`d_outputs`"):
        kernels.rnn_backward_both(
            {"tape": first.tape, "consume": True}, {"tape": second.tape, "d_outputs": np.ones(3)}
        )
    kernels.rnn_backward_both({"tape": first.tape, "consume": True}, {"tape": second.tape})
    with pytest.raises(ValueError, match="consumed"):
        kernels.rnn_backward_both({"tape": second.tape}, {"tape": first.tape})
