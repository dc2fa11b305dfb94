"""The recurrent kernels, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from fastrnn import kernels
from support import reference
from support.rnn_cells import CELLS, Cell, flatten
from support.rnn_problems import (
    DROPOUTS,
    MASKS,
    TOKENS,
    VOCABULARY,
    Problem,
    answer,
    assert_plan,
    assert_results,
    embedded,
    is_embedded,
    make_problem,
    run,
    wanted,
)

from fuzz import system, wild

Array = np.ndarray

# A few numbers alone are no measure of an error; a wrong number is wrong by far more.
FACTOR = 32

ALL = sorted(reference.ACTIVATIONS)
BOUNDED = ("sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "softsign")


def draw_row(r: Random) -> dict[str, Any]:
    """The choices of a problem; now and then one that is worth several threads."""
    large = 0.5 if wild.some(r, 0.05) else 0.04
    row: dict[str, Any] = {
        "batch": 0 if wild.some(r, 0.02) else wild.size(r, large / 2),
        "steps": 40 if wild.some(r, 0.01) else r.choice((1, 1, 2, 3, 4, 5, 7, 12)),
        "features": wild.size(r, large),
        "units": wild.size(r, large),
        "input": r.choice(("tensor", "tensor", *TOKENS)),
        "mask": r.choice((None, None, *MASKS)),
        "dropout_mask": r.choice((None, *DROPOUTS)),
        "recurrent_dropout_mask": r.choice((None, *DROPOUTS)),
        "d_states": r.choice(("all", "none", "first", "last")),
    }
    for flag in ("go_backwards", "zero_output_for_mask", "return_sequences"):
        row[flag] = wild.some(r)
    for given in ("use_bias", "initial_state", "d_outputs"):
        row[given] = wild.some(r, 0.7)
    if wild.some(r, 0.3):
        # Gates without bounds, step after step, leave the range of float32.
        bounded = row["steps"] > 3
        row["activation"] = r.choice(BOUNDED if row["steps"] > 12 else ALL)
        row["recurrent_activation"] = r.choice(BOUNDED if bounded else ALL)
    if row["batch"] == 0 and row["mask"] == "one_row":
        row["mask"] = None
    return row


def dressed(r: Random, problem: Problem) -> Problem:
    """The same problem, its arrays in any form."""
    x, weights, initial_state, options, d_outputs, d_states = problem
    masks = {name: m for name, m in options.items() if isinstance(m, np.ndarray)}
    if "mask" in masks:
        numbers = r.choice((bool, np.int8, np.uint64, np.float32, np.float64))
        masks["mask"] = masks["mask"].astype(numbers) * numbers(r.choice((1, 3)))
    return Problem(
        embedded(wild.dressed_tokens(r, x.tokens), wild.dressed(r, x.table))
        if is_embedded(x)
        else wild.dressed(r, x),
        tuple(wild.dressed(r, w) for w in weights),  # type: ignore[arg-type]
        None if initial_state is None else tuple(wild.dressed(r, s) for s in initial_state),
        {**options, **{name: wild.dressed(r, m) for name, m in masks.items()}},
        wild.dressed(r, d_outputs),
        None if d_states is None else tuple(wild.dressed(r, d) for d in d_states),
    )


# --- Right calls ----------------------------------------------------------------------------------


def agrees(r: Random) -> str:
    """A good problem in any form gives the oracle's result."""
    cell = r.choice(CELLS)
    problem = make_problem(cell, draw_row(r), wild.generator(r))
    given = dressed(r, problem)
    output = cell.forward(given.x, *given.weights, given.initial_state, **given.options)
    if wild.some(r, 0.2):
        system.choose(r)  # a tape is good on any level, for any number of threads
    input_gradient = wild.some(r, 0.8)
    gradients = cell.backward(
        output.tape, given.d_outputs, given.d_states, input_gradient=input_gradient
    )
    got = {**flatten(output), **flatten(gradients)}
    if not len(output.outputs):
        assert not np.any(got["kernel"])
        return wild.AGREED
    assert_plan(output.tape, problem)
    exact = wanted(answer(cell, problem), problem, input_gradient)
    try:
        assert_results(problem, got, exact, answer(cell, problem, np.float32), factor=FACTOR)
    except AssertionError:
        assert_results(problem, got, exact, _blurred(cell, problem, exact, wild.generator(r)))
    return wild.AGREED


def _blurred(
    cell: Cell, problem: Problem, exact: dict[str, Array], rng: np.random.Generator
) -> dict[str, Array]:
    """The yardstick where the oracle's float32 run had luck: numbers a few roundings away.

    Near the end of a saturated gate, or at the corner of an activation, those change a lot.
    """

    def blur(a: Array) -> Array:
        return a * (1 + 2.0**-22 * rng.uniform(-1, 1, a.shape))

    x, weights, initial_state, *_ = problem
    worst = {name: np.zeros(array.shape) for name, array in exact.items()}
    for _ in range(20):
        near = problem._replace(
            x=embedded(x.tokens, blur(x.table)) if is_embedded(x) else blur(x),
            weights=tuple(None if w is None else blur(w) for w in weights),
            initial_state=None if initial_state is None else tuple(map(blur, initial_state)),
        )
        for name, array in answer(cell, near).items():
            if name in worst:
                worst[name] = np.maximum(worst[name], np.abs(array - exact[name]))
    return {name: exact[name] + worst[name] for name in exact}


def steps(r: Random) -> str:
    """Step after step is the sequence, but for rounding; without a tape it is so bit for bit."""
    cell = r.choice(CELLS)
    row = {**draw_row(r), "input": "tensor", "mask": None, "return_sequences": True}
    row.update(go_backwards=False, dropout_mask=None, recurrent_dropout_mask=None)
    problem = make_problem(cell, row, wild.generator(r))
    x, weights, initial_state, options, *_ = dressed(r, problem)
    output = cell.forward(x, *weights, initial_state, **options)
    system.choose_threads(r)
    again = cell.forward(x, *weights, initial_state, **options, keep_tape=False)
    np.testing.assert_array_equal(output.outputs, again.outputs)
    states = problem.initial_state
    if states is None:
        states = (np.zeros((row["batch"], row["units"]), np.float32),) * cell.states
    names = {name: options[name] for name in options if name.endswith("activation")}
    for t in range(row["steps"]):
        states = cell.step(problem.x[:, t], states, *weights, **names)
        _about(states[0], output.outputs[:, t])
    for state, last in zip(states, output.states, strict=True):
        _about(state, last)
    return wild.AGREED


def _about(got: Array, want: Array) -> None:
    size = np.max(np.abs(want), initial=1.0)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * size)


def one_wild_row(r: Random) -> str:
    """NaN, infinities, huge or denormal numbers in one row do nothing to the other rows."""
    cell = r.choice(CELLS)
    row = {**draw_row(r), "input": "tensor"}
    row["batch"] = max(2, row["batch"])
    problem = make_problem(cell, row, wild.generator(r))
    clean, _ = run(cell, problem)
    bad = r.randrange(row["batch"])
    arrays = [problem.x, *(problem.initial_state or ()), problem.d_outputs]
    arrays += [*(problem.d_states or ()), problem.options.get("dropout_mask")]
    arrays += [problem.options.get("recurrent_dropout_mask")]
    array = r.choice([a for a in arrays if a is not None])
    numbers = np.float32([np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-40, -0.0])
    places = wild.generator(r).random(array[bad].shape) < r.choice((0.01, 0.3, 1.0))
    array[bad][places] = wild.generator(r).choice(numbers, np.count_nonzero(places))
    system.choose_threads(r)
    got, _ = run(cell, problem)
    for name in ("outputs", "states[0]", "states[1]", "x", "initial_state[0]", "initial_state[1]"):
        if name in got:
            others = [np.delete(result[name], bad, axis=0) for result in (got, clean)]
            np.testing.assert_array_equal(*others, err_msg=name)
    return wild.AGREED


def any_numbers(r: Random) -> str:
    """Any bits as weights, table and input: nothing but results of the right shape is promised."""
    cell = r.choice(CELLS)
    row = draw_row(r)
    problem = make_problem(cell, row, wild.generator(r))
    rng = wild.generator(r)

    def any_bits(a: Array | None) -> Array | None:
        return None if a is None else rng.integers(0, 2**32, a.shape, np.uint32).view(np.float32)

    x = problem.x
    got, _ = run(
        cell,
        problem._replace(
            x=embedded(x.tokens, any_bits(x.table)) if is_embedded(x) else any_bits(x),
            weights=tuple(map(any_bits, problem.weights)),
        ),
    )
    assert got["states[0]"].shape == (row["batch"], row["units"])
    assert got["recurrent_kernel"].shape == problem.weights[1].shape
    return wild.AGREED


# --- Wrong calls ----------------------------------------------------------------------------------


def refuses(r: Random) -> str:
    """One argument of forward or backward is wrong: an error, and no other harm."""
    cell = r.choice(CELLS)
    row = draw_row(r)
    problem = make_problem(cell, row, wild.generator(r))
    name, call = _wrong_call(r, cell, row, problem)
    return wild.must_refuse(call, f"{cell.id} {row} with a wrong {name}")


def _wrong_call(
    r: Random, cell: Cell, row: dict[str, Any], problem: Problem
) -> tuple[str, Callable[[], Any]]:
    x, weights, initial_state, options, *_ = problem
    kernel, recurrent_kernel, bias = weights
    arguments: dict[str, Any] = {
        "x": x, "kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias,
        "initial_state": initial_state, **options,
    }  # fmt: skip
    names = ["x", "kernel", "recurrent_kernel", "activation", "cell", "d_outputs", "d_states"]
    names += [
        name for name in ("mask", "dropout_mask", "recurrent_dropout_mask") if name in options
    ]
    names += ["bias"] * (bias is not None) + ["initial_state"] * (initial_state is not None)
    name = r.choice(names)
    if name in ("d_outputs", "d_states"):
        return name, _wrong_backward(r, cell, problem, name)
    if name == "cell":
        cells = ("", "LSTM", "lstm\0", "x" * 1000, 3, None, b"lstm\xff")
        return name, lambda: kernels.rnn_forward(r.choice(cells), **arguments)
    if name == "activation":
        arguments[name] = r.choice(("", "Tanh", "tanh ", "softmax", "x" * 1000, 3, None))
    elif name == "x" and is_embedded(x):
        tokens, table = x
        arguments[name] = r.choice((
            lambda: embedded(wild.wrong_tokens(r, tokens, VOCABULARY), table),
            lambda: embedded(wild.wrong_rank(r, tokens), table),
            lambda: embedded(tokens, wild.wrong_kind(r, table)),
            lambda: embedded(tokens, wild.wrong_rank(r, table)),
            lambda: embedded(tokens, table[:, :0]),
            lambda: embedded(tokens[:, :0], table),
            lambda: embedded(None, table),
        ))()  # fmt: skip
    elif name == "x":
        arguments[name] = r.choice((
            lambda: wild.wrong_kind(r, x), lambda: wild.wrong_rank(r, x),
            lambda: x[:, :0], lambda: x[..., :0], lambda: None,
        ))()  # fmt: skip
    elif name == "mask":
        # Any number is a boolean, so it is the shape that must be right.
        arguments[name] = r.choice((wild.wrong_rank, wild.other_shape))(r, arguments[name])
    elif name == "initial_state":
        states = list(arguments[name])
        at = r.randrange(len(states))
        arguments[name] = r.choice((
            lambda: [*states[:at], wild.wrong(r, states[at]), *states[at + 1 :]],
            lambda: states[1:], lambda: [*states, states[0]], lambda: 3, lambda: object(),
        ))()  # fmt: skip
    elif name in ("dropout_mask", "recurrent_dropout_mask"):
        arguments[name] = r.choice((wild.wrong_kind, wild.other_shape))(r, arguments[name])
    else:
        arguments[name] = wild.wrong(r, arguments[name])
    return name, lambda: cell.forward(**arguments)


def _wrong_backward(r: Random, cell: Cell, problem: Problem, name: str) -> Callable[[], Any]:
    output = cell.forward(problem.x, *problem.weights, problem.initial_state, **problem.options)
    states: list[Any] = list(output.states)
    if name == "d_outputs":
        wrong = wild.wrong(r, output.outputs)
        return lambda: cell.backward(output.tape, wrong, None)
    at = r.randrange(len(states))
    states[at] = wild.wrong(r, states[at])
    given = r.choice((states, [*states, states[0]], 3, object(), ()))
    return lambda: cell.backward(output.tape, None, given)
