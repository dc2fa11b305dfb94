"""Problems for the recurrent kernels, made from rows of choices, and how their results are judged.

A row is a dict of choices; what it does not name has the default of `make_problem`.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from support import reference
from support.float32_error import assert_exact_enough
from support.rnn_cells import Cell, flatten, normal

Array = np.ndarray

# Below, at and beyond the vectors and register tiles of every level.
SIZES = (1, 7, 17, 33, 65, 130)

VOCABULARY = 40

# The loss is so steep that no gradient becomes denormal on its way back through 130 steps: NumPy's
# float32 run of the oracle would take minutes.
STEEP = np.float32(2.0**40)


class Problem(NamedTuple):
    """What forward and backward of a cell are given."""

    x: Any  # [B, T, F], or kernels.Embedded
    weights: tuple[Array, Array, Array | None]
    initial_state: tuple[Array, ...] | None
    options: dict[str, Any]  # keyword arguments of forward
    d_outputs: Array | None
    d_states: tuple[Array | None, ...] | None


# --- Patterns -------------------------------------------------------------------------------------

MASKS = ("left", "right", "middle", "alternating", "random", "one_row", "none_walked", "all_walked")
DROPOUTS = (None, "shared", "per_gate")
TOKENS = ("mixed", "padded", "one", "last")


def make_mask(pattern: str, rng: np.random.Generator, batch: int, steps: int) -> Array:
    """Which steps are walked, [B, T]; the rows differ."""
    t = np.arange(steps)
    lengths = rng.integers(0, steps + 1, (batch, 1))
    starts = rng.integers(0, steps + 1, (batch, 1))
    mask = {
        "left": t >= lengths,
        "right": t < lengths,
        "middle": (t < starts) | (t >= starts + lengths),
        "alternating": (t + np.arange(batch)[:, None]) % 2 == 1,
        "random": rng.random((batch, steps)) < 0.6,
        "one_row": rng.random((batch, steps)) < 0.8,
        "none_walked": np.zeros((batch, steps), bool),
        "all_walked": np.ones((batch, steps), bool),
    }[pattern]
    if pattern == "one_row":
        mask[batch // 2] = False
    return mask


def make_dropout_mask(
    kind: str | None, rng: np.random.Generator, batch: int, gates: int, size: int
) -> Array | None:
    """Zeros and 1 / (1 - rate), as dropout has them, and some other factors: any are allowed."""
    if kind is None:
        return None
    shape = (batch, gates, size) if kind == "per_gate" else (batch, size)
    return rng.choice(np.float32([0, 0, 1 / 0.7, 1 / 0.7, 1, -0.3]), shape)


def make_tokens(pattern: str, rng: np.random.Generator, batch: int, steps: int) -> Array:
    """[B, T], below VOCABULARY; rows of "padded" begin with 0 to T times the same token."""
    tokens = rng.integers(0, VOCABULARY // 2, (batch, steps))
    if pattern == "padded":
        tokens[np.arange(steps) < rng.integers(0, steps + 1, (batch, 1))] = 0
    elif pattern != "mixed":
        tokens[:] = {"one": 3, "last": VOCABULARY - 1}[pattern]
    return tokens


# Each way through the kernels once or more.
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tokens": {"input": "mixed"},
    "shared_prefix": {"input": "padded", "initial_state": False},
    "shared_prefix_backwards": {
        "input": "padded", "initial_state": False, "go_backwards": True, "return_sequences": False,
    },
    "mask": {"mask": "random"},
    "mask_last": {"mask": "left", "return_sequences": False, "initial_state": False},
    "mask_tokens_backwards": {"mask": "one_row", "input": "padded", "go_backwards": True},
    "mask_zeroed": {"mask": "right", "zero_output_for_mask": True, "go_backwards": True},
    "dropout": {"dropout_mask": "shared", "input": "padded", "initial_state": False},
    "dropout_per_gate": {"dropout_mask": "per_gate"},
    "recurrent_dropout": {"recurrent_dropout_mask": "shared", "go_backwards": True},
    "dropouts": {
        "dropout_mask": "per_gate", "recurrent_dropout_mask": "per_gate", "input": "mixed",
    },
    "dropouts_mask": {
        "dropout_mask": "per_gate", "recurrent_dropout_mask": "per_gate", "mask": "middle",
    },
}  # fmt: skip


# --- Problems and answers -------------------------------------------------------------------------


def row_id(row: dict[str, Any]) -> str:
    return "-".join(str(value) for value in row.values()).replace(" ", "")


def make_problem(cell: Cell, row: dict[str, Any], rng: np.random.Generator) -> Problem:
    batch, steps, features, units = row["batch"], row["steps"], row["features"], row["units"]
    return_sequences = row.get("return_sequences", True)
    options = {"return_sequences": return_sequences}
    for name in ("activation", "recurrent_activation"):
        if name in row and (cell.gated or name == "activation"):
            options[name] = row[name]
    for name in ("go_backwards", "zero_output_for_mask"):
        if name in row:
            options[name] = row[name]
    if row.get("mask"):
        options["mask"] = make_mask(row["mask"], rng, batch, steps)
    for name, size in (("dropout_mask", features), ("recurrent_dropout_mask", units)):
        if row.get(name):
            options[name] = make_dropout_mask(row[name], rng, batch, cell.gates, size)
    d_states = tuple(STEEP * d for d in cell.random_states(rng, batch, units))
    shape = (batch, steps, units) if return_sequences else (batch, units)
    return Problem(
        make_input(row, rng),
        cell.weights(rng, features, units, row.get("use_bias", True)),
        cell.random_states(rng, batch, units) if row.get("initial_state", True) else None,
        options,
        STEEP * normal(rng, *shape) if row.get("d_outputs", True) else None,
        keep_states(d_states, row.get("d_states", "all")),
    )


def make_input(row: dict[str, Any], rng: np.random.Generator) -> Any:
    """[B, T, F], or tokens of the pattern `input`, which begins where the walk does."""
    batch, steps, features = row["batch"], row["steps"], row["features"]
    if row.get("input", "tensor") == "tensor":
        return normal(rng, batch, steps, features)
    tokens = make_tokens(row["input"], rng, batch, steps)
    if row.get("go_backwards"):
        tokens = np.ascontiguousarray(tokens[:, ::-1])
    return embedded(tokens, normal(rng, VOCABULARY, features))


def embedded(tokens: Array, table: Array) -> Any:
    from fastrnn import kernels

    return kernels.Embedded(tokens, table)


def is_embedded(x: Any) -> bool:
    return not isinstance(x, np.ndarray)


def keep_states(states: tuple[Array, ...], which: str) -> tuple[Array | None, ...] | None:
    if which == "none":
        return None
    kept = {"all": range(len(states)), "first": (0,), "last": (len(states) - 1,)}[which]
    return tuple(state if k in kept else None for k, state in enumerate(states))


def with_options(problem: Problem, **options: Any) -> Problem:
    return problem._replace(options={**problem.options, **options})


def rows_of(problem: Problem, rows: slice) -> Problem:
    """The same problem for some rows of the batch."""

    def cut(value: Any) -> Any:
        return value[rows] if isinstance(value, np.ndarray) else value

    x, _, initial_state, options, d_outputs, d_states = problem
    return problem._replace(
        x=embedded(x.tokens[rows], x.table) if is_embedded(x) else x[rows],
        initial_state=None if initial_state is None else tuple(map(cut, initial_state)),
        options={name: cut(value) for name, value in options.items()},
        d_outputs=cut(d_outputs),
        d_states=None if d_states is None else tuple(map(cut, d_states)),
    )


def run(cell: Cell, problem: Problem, **backward_options: Any) -> tuple[dict[str, Array], Any]:
    """What fastrnn makes of the problem, by name, and the tape."""
    x, weights, initial_state, options, d_outputs, d_states = problem
    output = cell.forward(x, *weights, initial_state, **options)
    gradients = cell.backward(output.tape, d_outputs, d_states, **backward_options)
    return {**flatten(output), **flatten(gradients)}, output.tape


def answer(cell: Cell, problem: Problem, dtype: Any = np.float64) -> dict[str, Array]:
    """What the oracle makes of it."""
    x, weights, initial_state, options, d_outputs, d_states = problem
    sequences = x.table[x.tokens] if is_embedded(x) else x
    output = reference.rnn_forward(
        cell.oracle, sequences, *weights, initial_state, **options, dtype=dtype
    )
    gradients = reference.rnn_backward(output.tape, d_outputs, d_states)
    results = {**flatten(output), **flatten(gradients)}
    if is_embedded(x):
        results["x"] = reference.embedding_backward(x.tokens, gradients.x, len(x.table))
    return results


# --- Judgement ------------------------------------------------------------------------------------


SHARING_ROWS = 8  # steps are walked once for all as long as so many rows would walk them


def shared_runs(tokens: Array, go_backwards: bool = False) -> Array:
    """[B]: how many steps of each row are walked once for all, because they are the same token.

    That is the token that begins most rows, of several the smallest.
    """
    walk = tokens[:, ::-1] if go_backwards else tokens
    candidates, rows = np.unique(walk[:, 0], return_counts=True)
    shared = candidates[np.argmax(rows)]
    differs = np.concatenate([walk != shared, np.ones((len(walk), 1), bool)], axis=1)
    runs = np.argmax(differs, axis=1)
    prefix = np.sort(runs)[-SHARING_ROWS] if len(runs) >= SHARING_ROWS else 0
    return np.minimum(runs, prefix)


def assert_plan(tape: Any, problem: Problem) -> None:
    """That exactly the steps are walked that have to be, and each token is projected once."""
    x, _, initial_state, options, *_ = problem
    batch, steps = (x.tokens if is_embedded(x) else x).shape[:2]
    mask = options.get("mask")
    walked = np.ones((batch, steps), bool) if mask is None else mask
    prefix, positions = 0, np.count_nonzero(walked)
    rows_differ = [initial_state, mask]
    rows_differ += [options.get("dropout_mask"), options.get("recurrent_dropout_mask")]
    if is_embedded(x) and all(given is None for given in rows_differ):
        runs = shared_runs(x.tokens, options.get("go_backwards", False))
        prefix, positions = np.max(runs), np.sum(steps - runs)
    distinct = len(np.unique(x.tokens[walked])) if is_embedded(x) else 0
    dropout = options.get("dropout_mask")
    if is_embedded(x) and dropout is not None and (dropout.ndim == 2 or dropout.shape[1] == 1):
        of_rows = sum(len(np.unique(row[own])) for row, own in zip(x.tokens, walked, strict=True))
        if 4 * of_rows <= 3 * positions:  # then each row's tokens are projected once
            distinct = of_rows
    assert (tape.prefix, tape.positions, tape.distinct) == (prefix, positions, distinct)


@functools.lru_cache(maxsize=2)
def problem_and_answers(cell: Cell, items: tuple[tuple[str, Any], ...]) -> tuple[Any, ...]:
    """Kept while the ISA level changes."""
    row = dict(items)
    problem = make_problem(cell, row, np.random.default_rng(list(row_id(row).encode())))
    return problem, answer(cell, problem), answer(cell, problem, np.float32)


def assert_results(
    problem: Problem,
    got: dict[str, Array],
    exact: dict[str, Array],
    float32: dict[str, Array],
    factor: float = 4,
) -> None:
    """Each array about as exact as NumPy's in float32, masked steps exactly without effect."""
    assert set(got) == set(exact)
    for name in exact:
        assert_exact_enough(name, got[name], exact[name], float32[name], factor)
    mask = problem.options.get("mask")
    if mask is not None and not is_embedded(problem.x) and "x" in got:
        assert not np.any(got["x"][~mask])


def assert_same_bits(a: dict[str, Array], b: dict[str, Array]) -> None:
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name].view(np.int32), b[name].view(np.int32), err_msg=name)


def wanted(
    exact: dict[str, Array], problem: Problem, input_gradient: bool = True
) -> dict[str, Array]:
    """Without the gradients that fastrnn does not compute: of x, of initial states not given."""
    unwanted = () if input_gradient else ("x",)
    if problem.initial_state is None:
        unwanted += ("initial_state[0]", "initial_state[1]")
    return {name: array for name, array in exact.items() if name not in unwanted}


def check(cell: Cell, row: dict[str, Any], factor: float = 4) -> None:
    """Forward and every gradient of the row's problem against the oracle."""
    problem, exact, float32 = problem_and_answers(cell, tuple(row.items()))
    got, tape = run(cell, problem)
    assert_plan(tape, problem)
    assert_results(problem, got, wanted(exact, problem), float32, factor)
