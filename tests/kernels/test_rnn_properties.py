"""What holds of the recurrent kernels whatever the numbers: steps, rows, threads, tapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.rnn_cells import CELLS, Cell, flatten, normal
from support.rnn_problems import (
    VARIANTS,
    Problem,
    assert_same_bits,
    is_embedded,
    make_problem,
    rows_of,
    run,
    with_options,
)

SIZES = [(1, 1, 1, 1), (5, 4, 3, 18), (70, 9, 20, 50), (33, 3, 65, 130)]
SMALL = (9, 6, 5, 20)

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
sizes = pytest.mark.parametrize("sizes", SIZES, ids=str)
variants = pytest.mark.parametrize("variant", VARIANTS)


def make(cell: Cell, sizes: Any, variant: str, rng: np.random.Generator) -> Problem:
    row = dict(zip(("batch", "steps", "features", "units"), sizes, strict=True))
    return make_problem(cell, {**row, **VARIANTS[variant]}, rng)


def forward(cell: Cell, problem: Problem, **options: Any) -> Any:
    x, weights, initial_state, given, *_ = problem
    return cell.forward(x, *weights, initial_state, **{**given, **options})


def arrays_of(problem: Problem) -> list[np.ndarray]:
    x, weights, initial_state, options, d_outputs, d_states = problem
    inputs = list(x) if is_embedded(x) else [x]
    masks = [value for value in options.values() if isinstance(value, np.ndarray)]
    return [*inputs, *weights, *(initial_state or ()), *masks, d_outputs, *d_states]


@cells
@sizes
def test_steps_equal_the_sequence(
    cell: Cell, sizes: Any, isa: str, rng: np.random.Generator
) -> None:
    problem = make(cell, sizes, "plain", rng)
    output, states = forward(cell, problem), problem.initial_state
    for t in range(problem.x.shape[1]):
        states = cell.step(problem.x[:, t], states, *problem.weights)
        assert len(states) == cell.states
        np.testing.assert_allclose(states[0], output.outputs[:, t], rtol=0, atol=2e-6)
    for stepped, last in zip(states, output.states, strict=True):
        np.testing.assert_allclose(stepped, last, rtol=0, atol=2e-6)


@cells
@pytest.mark.parametrize("use_bias", [True, False])
def test_step_takes_the_options_of_the_sequence(
    cell: Cell, use_bias: bool, isa: str, rng: np.random.Generator
) -> None:
    options = {"activation": "softsign"}
    if cell.gated:
        options["recurrent_activation"] = "hard_sigmoid"
    x = normal(rng, 6, 1, 5)
    kernel, recurrent_kernel, bias = cell.weights(rng, 5, 11, use_bias)
    states = cell.random_states(rng, 6, 11)
    stepped = cell.step(x[:, 0], states, kernel, recurrent_kernel, bias, **options)
    walked = cell.forward(x, kernel, recurrent_kernel, bias, states, **options).states
    for a, b in zip(stepped, walked, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


@cells
@variants
@pytest.mark.parametrize("sizes", [(5, 4, 3, 18), (33, 3, 65, 130)], ids=str)
def test_a_row_equals_the_row_alone(
    cell: Cell, variant: str, sizes: Any, isa: str, rng: np.random.Generator
) -> None:
    """Forward to the bit, whatever else the batch holds; its own gradients but for rounding."""
    problem = make(cell, sizes, variant, rng)
    whole, _ = run(cell, problem)
    for b in {0, sizes[0] // 2, sizes[0] - 1}:
        row = slice(b, b + 1)
        alone, _ = run(cell, rows_of(problem, row))
        for name, part in alone.items():
            if name == "outputs" or name.startswith("states"):
                assert_same_bits({name: whole[name][row]}, {name: part})
            own = name == "x" and not is_embedded(problem.x)
            if own or name.startswith("initial_state"):
                limit = 5e-6 * max(1, np.max(np.abs(part)))
                np.testing.assert_allclose(whole[name][row], part, rtol=0, atol=limit)


# Wide layers take longest: not all kinds of steps need them.
WIDE_VARIANTS = ("plain", "shared_prefix", "dropouts_mask")
FOR_THREADS = [
    (sizes, variant)
    for sizes in ((70, 9, 20, 50), (33, 3, 65, 130), (1, 4, 9, 300), (9, 3, 20, 515))
    for variant in (WIDE_VARIANTS if sizes[-1] >= 300 else VARIANTS)
]
# Too wide to walk back in groups of rows, and more positions than one block of steps collects.
FOR_THREADS.append(((31, 17, 9, 370), "plain"))


@cells
@pytest.mark.parametrize(("sizes", "variant"), FOR_THREADS, ids=str)
def test_same_bits_for_any_number_of_threads(
    cell: Cell,
    variant: str,
    sizes: Any,
    isa: str,
    rng: np.random.Generator,
    set_threads: Callable[[int], None],
) -> None:
    problem, results = make(cell, sizes, variant, rng), []
    for threads in (1, 2, 3, 7):
        set_threads(threads)
        results.append(run(cell, problem)[0])
    for result in results[1:]:
        assert_same_bits(results[0], result)


@cells
@variants
def test_a_tape_serves_twice(cell: Cell, variant: str, isa: str, rng: np.random.Generator) -> None:
    problem = make(cell, SMALL, variant, rng)
    output = forward(cell, problem)
    before = {name: array.copy() for name, array in flatten(output).items()}
    gradients = (problem.d_outputs, problem.d_states)
    first = flatten(cell.backward(output.tape, *gradients))
    kept = {name: array.copy() for name, array in first.items()}
    cell.backward(output.tape, -2 * problem.d_outputs, input_gradient=False)
    assert_same_bits(kept, flatten(cell.backward(output.tape, *gradients)))
    assert_same_bits(kept, first)  # earlier results are not overwritten
    assert_same_bits(before, flatten(output))


@cells
@variants
@pytest.mark.parametrize("sizes", [SMALL, (33, 9, 7, 20), (33, 3, 65, 200)], ids=str)
def test_a_consumed_tape_gives_the_same_bits_once(
    cell: Cell, sizes: Any, variant: str, isa: str, rng: np.random.Generator
) -> None:
    problem = make(cell, sizes, variant, rng)
    output = forward(cell, problem)
    before = {name: array.copy() for name, array in flatten(output).items()}
    gradients = (problem.d_outputs, problem.d_states)
    kept = flatten(cell.backward(output.tape, *gradients))
    assert_same_bits(kept, flatten(cell.backward(output.tape, *gradients, consume=True)))
    assert_same_bits(before, flatten(output))
    with pytest.raises(ValueError, match="`tape` must not have been consumed"):
        cell.backward(output.tape, *gradients)


@cells
@variants
def test_backward_is_linear_in_its_gradients(
    cell: Cell, variant: str, isa: str, rng: np.random.Generator
) -> None:
    """Doubling the gradient of the loss doubles every gradient: a power of two rounds nothing."""
    problem = make(cell, SMALL, variant, rng)
    doubled = problem._replace(
        d_outputs=2 * problem.d_outputs, d_states=tuple(2 * d for d in problem.d_states)
    )
    once, twice = run(cell, problem)[0], run(cell, doubled)[0]
    results = ("outputs", "states[0]", "states[1]")
    twofold = {name: a if name in results else 2 * a for name, a in once.items()}
    assert_same_bits(twofold, twice)


@cells
@variants
def test_zero_gradients_give_zero(
    cell: Cell, variant: str, isa: str, rng: np.random.Generator
) -> None:
    output = forward(cell, make(cell, SMALL, variant, rng))
    for name, array in flatten(cell.backward(output.tape)).items():
        assert not np.any(array), name


@cells
@variants
def test_gradients_of_the_output_and_of_the_state_add_up(
    cell: Cell, variant: str, isa: str, rng: np.random.Generator
) -> None:
    """Nothing is left over from one call of backward to the next, and neither part is lost."""
    problem = make(cell, SMALL, variant, rng)
    tape = forward(cell, problem).tape
    together = flatten(cell.backward(tape, problem.d_outputs, problem.d_states))
    of_outputs = flatten(cell.backward(tape, problem.d_outputs))
    of_states = flatten(cell.backward(tape, None, problem.d_states))
    for name, array in together.items():
        limit = 1e-5 * np.max(np.abs(array))
        total = of_outputs[name] + of_states[name]
        np.testing.assert_allclose(total, array, rtol=0, atol=limit, err_msg=name)


@cells
@variants
@pytest.mark.parametrize("sizes", [SMALL, (70, 9, 20, 50)], ids=str)
def test_keep_tape_changes_no_result(
    cell: Cell, variant: str, sizes: Any, isa: str, rng: np.random.Generator
) -> None:
    problem = make(cell, sizes, variant, rng)
    output, without = forward(cell, problem), forward(cell, problem, keep_tape=False)
    assert without.tape is None
    assert output.tape is not None
    assert_same_bits(flatten(output), flatten(without))


@cells
@variants
def test_last_output_is_the_last_of_all(
    cell: Cell, variant: str, isa: str, rng: np.random.Generator
) -> None:
    problem = make(cell, SMALL, variant, rng)
    sequence = forward(cell, problem, return_sequences=True)
    last = forward(cell, problem, return_sequences=False)
    at = 0 if problem.options.get("go_backwards") else -1
    np.testing.assert_array_equal(last.outputs, sequence.outputs[:, at])
    if "mask" not in problem.options:
        np.testing.assert_array_equal(last.outputs, last.states[0])
    for a, b in zip(last.states, sequence.states, strict=True):
        np.testing.assert_array_equal(a, b)


@cells
@pytest.mark.parametrize("kind", ["tensor", "padded"])
def test_backwards_is_forwards_over_turned_sequences(
    cell: Cell, kind: str, isa: str, rng: np.random.Generator
) -> None:
    """Outputs stand at their own times; not a bit differs."""
    row = {"batch": 9, "steps": 6, "features": 5, "units": 20, "input": kind}
    row.update(initial_state=kind == "tensor", go_backwards=True)
    if kind == "tensor":
        row.update(mask="random", dropout_mask="per_gate")
    problem = make_problem(cell, row, rng)
    x = problem.x
    turned = with_options(problem, go_backwards=False)._replace(
        x=x._replace(tokens=x.tokens[:, ::-1]) if is_embedded(x) else x[:, ::-1],
        d_outputs=problem.d_outputs[:, ::-1],
    )
    if kind == "tensor":
        turned = with_options(turned, mask=problem.options["mask"][:, ::-1])
    want, got = run(cell, turned)[0], run(cell, problem)[0]
    turned_back = ("outputs",) if is_embedded(x) else ("outputs", "x")
    for name in turned_back:
        want[name] = np.ascontiguousarray(want[name][:, ::-1])
    assert_same_bits(want, got)


@cells
@variants
def test_inputs_are_not_changed(
    cell: Cell, variant: str, isa: str, rng: np.random.Generator
) -> None:
    problem = make(cell, SMALL, variant, rng)
    arrays = arrays_of(problem)
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    run(cell, problem)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@cells
@variants
def test_results_belong_to_the_caller(
    cell: Cell, variant: str, isa: str, rng: np.random.Generator
) -> None:
    """Each returned array is contiguous, writable, and no view of another or of the tape."""
    problem = make(cell, (4, 3, 5, 6), variant, rng)
    output = forward(cell, problem)
    gradients = cell.backward(output.tape, problem.d_outputs, problem.d_states)
    expected = {name: array.copy() for name, array in flatten(gradients).items()}
    for array in (*flatten(output).values(), *flatten(gradients).values()):
        assert array.flags.c_contiguous
        assert array.flags.writeable
        array.fill(np.nan)
    again = cell.backward(output.tape, problem.d_outputs, problem.d_states)
    assert_same_bits(expected, flatten(again))


@cells
@variants
def test_empty_batch(cell: Cell, variant: str, isa: str, rng: np.random.Generator) -> None:
    problem = rows_of(make(cell, (2, 5, 3, 4), variant, rng), slice(0, 0))
    got, tape = run(cell, problem)
    sequences = problem.options["return_sequences"]
    assert got["outputs"].shape == ((0, 5, 4) if sequences else (0, 4))
    assert all(got[f"states[{k}]"].shape == (0, 4) for k in range(cell.states))
    x = problem.x
    assert got["x"].shape == (x.table.shape if is_embedded(x) else (0, 5, 3))
    for name, weight in zip(("kernel", "recurrent_kernel", "bias"), problem.weights, strict=True):
        assert got[name].shape == weight.shape
        assert not np.any(got[name])
    assert tape.positions == 0
