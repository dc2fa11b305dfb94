"""What holds of the recurrent kernels whatever the numbers: steps, rows, threads, tapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rnn_cells import CELLS, Cell, flatten, normal

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
sizes = pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1), (5, 4, 3, 18), (70, 9, 20, 50), (33, 3, 65, 130)], ids=str
)


def forward_and_backward(cell: Cell, rng: np.random.Generator, sizes: Any, **options: Any) -> Any:
    batch, steps, features, units = sizes
    x, weights = normal(rng, batch, steps, features), cell.weights(rng, features, units)
    initial = cell.random_states(rng, batch, units)
    output = cell.forward(x, *weights, initial, return_sequences=True, **options)
    d_outputs, d_states = normal(rng, batch, steps, units), cell.random_states(rng, batch, units)
    return x, weights, initial, output, d_outputs, d_states


def assert_same_bits(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name].view(np.int32), b[name].view(np.int32), err_msg=name)


@cells
@sizes
def test_steps_equal_the_sequence(
    cell: Cell, sizes: Any, isa: str, rng: np.random.Generator
) -> None:
    x, weights, states, output, *_ = forward_and_backward(cell, rng, sizes)
    kernel, recurrent_kernel, bias = weights
    for t in range(x.shape[1]):
        states = cell.step(x[:, t], states, kernel, recurrent_kernel, bias)
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
@sizes
def test_a_row_equals_the_row_alone(
    cell: Cell, sizes: Any, isa: str, rng: np.random.Generator
) -> None:
    x, weights, initial, output, d_outputs, d_states = forward_and_backward(cell, rng, sizes)
    gradients = cell.backward(output.tape, d_outputs, d_states)
    for row in {0, len(x) // 2, len(x) - 1}:
        one = slice(row, row + 1)
        alone = cell.forward(
            x[one], *weights, tuple(s[one] for s in initial), return_sequences=True
        )
        alone_gradients = cell.backward(alone.tape, d_outputs[one], tuple(d[one] for d in d_states))
        assert_same_bits(
            {name: array[one] for name, array in flatten(output).items()}, flatten(alone)
        )
        np.testing.assert_allclose(gradients.x[one], alone_gradients.x, rtol=0, atol=5e-6)
        for whole, part in zip(gradients.initial_state, alone_gradients.initial_state, strict=True):
            np.testing.assert_allclose(whole[one], part, rtol=0, atol=5e-6)


@cells
@sizes
def test_same_bits_for_any_number_of_threads(
    cell: Cell, sizes: Any, isa: str, rng: np.random.Generator, set_threads: Callable[[int], None]
) -> None:
    x, weights, initial, _, d_outputs, d_states = forward_and_backward(cell, rng, sizes)
    results = []
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        output = cell.forward(x, *weights, initial, return_sequences=True)
        gradients = cell.backward(output.tape, d_outputs, d_states)
        results.append({**flatten(output), **flatten(gradients)})
    for result in results[1:]:
        assert_same_bits(results[0], result)


@cells
def test_a_tape_serves_twice(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    *_, output, d_outputs, d_states = forward_and_backward(cell, rng, (9, 6, 5, 20))
    before = {name: array.copy() for name, array in flatten(output).items()}
    first = flatten(cell.backward(output.tape, d_outputs, d_states))
    kept = {name: array.copy() for name, array in first.items()}
    cell.backward(output.tape, -2 * d_outputs, input_gradient=False)
    assert_same_bits(kept, flatten(cell.backward(output.tape, d_outputs, d_states)))
    assert_same_bits(kept, first)  # earlier results are not overwritten
    assert_same_bits(before, flatten(output))


@cells
def test_backward_is_linear_in_its_gradients(
    cell: Cell, isa: str, rng: np.random.Generator
) -> None:
    """Doubling the gradient of the loss doubles every gradient: a power of two rounds nothing."""
    *_, output, d_outputs, d_states = forward_and_backward(cell, rng, (9, 6, 5, 20))
    once = flatten(cell.backward(output.tape, d_outputs, d_states))
    twice = flatten(cell.backward(output.tape, 2 * d_outputs, tuple(2 * d for d in d_states)))
    assert_same_bits({name: 2 * array for name, array in once.items()}, twice)


@cells
def test_zero_gradients_give_zero(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    *_, output, _, _ = forward_and_backward(cell, rng, (9, 6, 5, 20))
    for name, array in flatten(cell.backward(output.tape)).items():
        assert not np.any(array), name


@cells
def test_keep_tape_changes_no_result(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    x, weights, initial, output, *_ = forward_and_backward(cell, rng, (9, 6, 5, 20))
    without = cell.forward(x, *weights, initial, return_sequences=True, keep_tape=False)
    assert without.tape is None
    assert output.tape is not None
    assert_same_bits(flatten(output), flatten(without))


@cells
def test_last_output_is_the_last_of_all(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    x, weights, initial, output, *_ = forward_and_backward(cell, rng, (9, 6, 5, 20))
    last = cell.forward(x, *weights, initial)
    np.testing.assert_array_equal(last.outputs, output.outputs[:, -1])
    np.testing.assert_array_equal(last.outputs, last.states[0])


@cells
def test_inputs_are_not_changed(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    x, weights, initial, output, d_outputs, d_states = forward_and_backward(
        cell, rng, (9, 6, 5, 20)
    )
    arrays = [x, *weights, *initial, d_outputs, *d_states]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    output = cell.forward(x, *weights, initial, return_sequences=True)
    cell.backward(output.tape, d_outputs, d_states)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@cells
def test_results_belong_to_the_caller(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    """Each returned array is contiguous, writable, and no view of another or of the tape."""
    *_, output, d_outputs, d_states = forward_and_backward(cell, rng, (4, 3, 5, 6))
    gradients = cell.backward(output.tape, d_outputs, d_states)
    expected = {name: array.copy() for name, array in flatten(gradients).items()}
    for array in (*flatten(output).values(), *flatten(gradients).values()):
        assert array.flags.c_contiguous
        assert array.flags.writeable
        array.fill(np.nan)
    assert_same_bits(expected, flatten(cell.backward(output.tape, d_outputs, d_states)))


@cells
def test_empty_batch(cell: Cell, isa: str, rng: np.random.Generator) -> None:
    weights = cell.weights(rng, 3, 4)
    output = cell.forward(np.zeros((0, 5, 3), np.float32), *weights, return_sequences=True)
    assert output.outputs.shape == (0, 5, 4)
    assert all(state.shape == (0, 4) for state in output.states)
    gradients = cell.backward(output.tape, output.outputs)
    assert gradients.x.shape == (0, 5, 3)
    assert gradients.kernel.shape == weights[0].shape
    assert not np.any(gradients.kernel)
