"""Branches and loops: plain Python, since nothing is compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastrnn.ops.describing import as_array, op
from fastrnn.ops.shapes import stack
from fastrnn.symbolic import flatten, map_structure
from fastrnn.tracing import plain


@op(
    "The value of one of two functions.",
    "ops.cond(True, lambda: ops.ones(1), lambda: ops.zeros(1))",
    "array([1.], dtype=float32)",
    pred="A boolean.",
    true_fn="Called without arguments if `pred` is true.",
    false_fn="Called without arguments if it is false.",
)
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    return true_fn() if plain(as_array(pred)) else false_fn()


@op(
    "The value of one of several functions.",
    "ops.switch(1, [lambda x: x, lambda x: 2 * x], ops.ones(1))",
    "array([2.], dtype=float32)",
    index="Which function; the first or last if it is out of range.",
    branches="List of functions.",
    operands="What the function is called with.",
)
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    return branches[int(np.clip(plain(as_array(index)), 0, len(branches) - 1))](*operands)


@op(
    "The variables of a loop after its last round.",
    "ops.while_loop(lambda i: i < 3, lambda i: (i + 1,), (0,))",
    "(3,)",
    cond="Takes the variables; tells whether there is another round.",
    body="Takes the variables; returns the next ones.",
    loop_vars="The first variables: a tuple, a list, or one value.",
    maximum_iterations="How many rounds there are at most.",
)
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    several = isinstance(loop_vars, list | tuple)
    values = tuple(loop_vars) if several else (loop_vars,)
    rounds = 0
    while (maximum_iterations is None or rounds < maximum_iterations) and plain(
        as_array(cond(*values))
    ):
        found = body(*values)
        values = tuple(found) if isinstance(found, list | tuple) else (found,)
        rounds += 1
    return values if several else values[0]


@op(
    "The value of a loop that counts.",
    "ops.fori_loop(0, 3, lambda i, total: total + i, 0)",
    "3",
    lower="The first count.",
    upper="The end of the counts, not included.",
    body_fun="Takes the count and the value; returns the next value.",
    init_val="The first value.",
)
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    value = init_val
    for count in range(int(lower), int(upper)):
        value = body_fun(count, value)
    return value


@op(
    "The last state of a loop over the first axis, and the outputs of its rounds as one array.",
    'ops.scan(lambda s, x: (s + x, s * x), ops.zeros((), "int32"), ops.arange(3))',
    "(np.int64(3), array([0, 0, 2]))",
    f="Takes the state and a slice of `xs`; returns the next state and an output.",
    init="The first state.",
    xs="Array, or arrays in lists, tuples or dicts; None if `length` says how many rounds.",
    length="How many rounds.",
    reverse="Whether the last slice comes first.",
    unroll="Without effect.",
    raises="ValueError: If both `xs` and `length` are None.",
)
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> Any:
    if xs is None and length is None:
        raise ValueError("`scan` needs `xs` or `length`. Received: xs=None, length=None")
    if isinstance(xs, list) and xs and not hasattr(xs[0], "shape"):
        xs = as_array(xs)  # a list of numbers
    arrays = map_structure(as_array, xs) if xs is not None else None
    rounds = len(flatten(arrays)[0]) if arrays is not None else int(length or 0)
    state, outputs = init, []
    for number in reversed(range(rounds)) if reverse else range(rounds):
        state, output = f(state, _slice(arrays, number))
        outputs.append(output)
    if reverse:
        outputs.reverse()
    if not outputs or outputs[0] is None:
        return state, None
    return state, _stacked(outputs)


@op(
    "The values of a function at the slices of the first axis, as one array.",
    "ops.map(lambda x: 2 * x, ops.arange(3))",
    "array([0, 2, 4])",
    f="Takes a slice.",
    xs="Array, or arrays in lists, tuples or dicts.",
)
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    arrays = map_structure(as_array, xs)
    return _stacked([f(_slice(arrays, number)) for number in range(len(flatten(arrays)[0]))])


@op(
    "The values of a function at the slices of the first axis, as one array.",
    "ops.vectorized_map(lambda x: 2 * x, ops.arange(3))",
    "array([0, 2, 4])",
    function="Takes a slice.",
    elements="Array, or arrays in lists, tuples or dicts.",
)
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    return map(function, elements)


def _slice(arrays: Any, number: int) -> Any:
    """Return the slice of this number of each array."""
    return None if arrays is None else map_structure(lambda array: array[number], arrays)


def _stacked(outputs: list[Any]) -> Any:
    """Return outputs of one form as one of that form whose leaves are stacked."""
    columns = iter([stack(leaves) for leaves in zip(*(flatten(o) for o in outputs), strict=True)])
    return map_structure(lambda _: next(columns), outputs[0])
