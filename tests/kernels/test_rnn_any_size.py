"""Recurrent kernels on sizes, masks and flags that nobody chose, each drawn by hypothesis.

A drawn problem is judged on every ISA level and by 1 to 4 threads. `FASTRNN_EXAMPLES` draws so many
new problems, for a long run; without it the same few are drawn each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.rnn_cells import CELLS, Cell
from support.rnn_problems import (
    DROPOUTS,
    MASKS,
    TOKENS,
    Problem,
    assert_plan,
    assert_results,
    assert_same_bits,
    is_embedded,
    problem_and_answers,
    rows_of,
    run,
    wanted,
)

EXAMPLES = os.environ.get("FASTRNN_EXAMPLES")
NEARLY_FLUSHED = 1e-20
# How much less exact than NumPy's float32 a result may be. Among thousands of problems a few blow
# roundings up over their steps, and then NumPy had luck.
FACTOR = 16 if EXAMPLES else 4

sizes = st.integers(1, 70)
flags = st.booleans()
rows_of_choices = st.fixed_dictionaries(
    {
        "batch": sizes,
        "steps": sizes,
        "features": sizes,
        "units": sizes,
        "input": st.sampled_from(("tensor", *TOKENS)),
        "mask": st.sampled_from((None, *MASKS)),
        "dropout_mask": st.sampled_from(DROPOUTS),
        "recurrent_dropout_mask": st.sampled_from(DROPOUTS),
        "go_backwards": flags,
        "zero_output_for_mask": flags,
        "return_sequences": flags,
        "initial_state": flags,
        "use_bias": flags,
        "d_outputs": flags,
        "d_states": st.sampled_from(("none", "first", "last", "all")),
        # Smooth: at a kink float32 and float64 may take different sides.
        "activation": st.sampled_from(("tanh", "softsign")),
        "recurrent_activation": st.sampled_from(("sigmoid", "softsign")),
    }
)


def is_result(name: str) -> bool:
    return name == "outputs" or name.startswith("states")


def assert_rows_stand_alone(cell: Cell, problem: Problem, got: dict[str, np.ndarray]) -> None:
    """The first, a middle and the last row give alone the bits that they give in the batch."""
    for b in {0, len(got["states[0]"]) // 2, len(got["states[0]"]) - 1}:
        row = slice(b, b + 1)
        alone, _ = run(cell, rows_of(problem, row))
        results = {name: array for name, array in alone.items() if is_result(name)}
        assert_same_bits({name: got[name][row] for name in results}, results)


def assert_masked_steps_are_void(
    cell: Cell, problem: Problem, got: dict[str, np.ndarray], rng: np.random.Generator
) -> None:
    """Whatever else stands at a masked step, each result and gradient keeps its bits."""
    mask = problem.options.get("mask")
    if mask is None:
        return
    x = problem.x
    if is_embedded(x):
        others = rng.integers(0, len(x.table), x.tokens.shape)
        changed = x._replace(tokens=np.where(mask, x.tokens, others))
    else:
        others = 1e3 * rng.standard_normal(x.shape)
        changed = np.where(mask[:, :, None], x, others).astype(np.float32)
    assert_same_bits(got, run(cell, problem._replace(x=changed))[0])


def assert_gradients_scale(
    cell: Cell, problem: Problem, got: dict[str, np.ndarray], factor: float
) -> None:
    """A loss times a power of two has gradients times that: nothing rounds otherwise.

    But for what is flushed to zero on the way, which is far below the numbers compared to the bit.
    """

    def scaled(gradient: np.ndarray | None) -> np.ndarray | None:
        return None if gradient is None else np.float32(factor) * gradient

    d_states = problem.d_states and tuple(map(scaled, problem.d_states))
    other, _ = run(cell, problem._replace(d_outputs=scaled(problem.d_outputs), d_states=d_states))
    for name, array in got.items():
        expected = array if is_result(name) else scaled(array)
        small = np.abs(expected) < NEARLY_FLUSHED
        np.testing.assert_array_equal(other[name][~small], expected[~small], err_msg=name)
        assert np.all(np.abs(other[name][small]) <= 2 * NEARLY_FLUSHED), name


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
@settings(
    max_examples=int(EXAMPLES or 20),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # to shrink large problems takes minutes
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),  # fixtures are the same for all examples
)
@given(row=rows_of_choices, exponent=st.integers(-12, 12))
def test_any_problem(
    cell: Cell, row: dict[str, Any], exponent: int, set_threads: Callable[[int], None]
) -> None:
    from fastrnn import _core

    problem, exact, float32 = problem_and_answers(cell, tuple(row.items()))
    before = _core.isa()
    try:
        for level in _core.isa_levels():
            _core.set_isa(level)
            set_threads(1)
            got, tape = run(cell, problem)
            assert_plan(tape, problem)
            assert_results(problem, got, wanted(exact, problem), float32, FACTOR)
            for threads in (2, 3, 4):
                set_threads(threads)
                assert_same_bits(got, run(cell, problem)[0])
            assert_rows_stand_alone(cell, problem, got)
            assert_masked_steps_are_void(cell, problem, got, np.random.default_rng(exponent + 12))
            assert_gradients_scale(cell, problem, got, 2.0**exponent)
    finally:
        _core.set_isa(before)
