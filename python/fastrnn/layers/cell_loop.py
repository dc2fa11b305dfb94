"""A walk over the steps in Python, for cells that the kernels do not have.

All steps are one trace: the backward pass goes back through it, and a weight's gradient is the sum
over the steps. The trace keeps what each operation of each step computed, as any tape does.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from fastrnn.arguments import is_integer
from fastrnn.differentiable import Differentiable
from fastrnn.layers.attributes import attributes_traced
from fastrnn.layers.calls import as_traced
from fastrnn.layers.inputs import as_floats
from fastrnn.layers.layer import Layer
from fastrnn.layers.recurrent_cell import Walked, WalkGradients, one_draw
from fastrnn.symbolic import flatten, pack
from fastrnn.tracing import Pullback, chooser, has_history, vjp


class _ResultError(ValueError):
    """What a cell returns does not fit."""


class _Tape(NamedTuple):
    """What `walk` keeps for `walk_back`.

    Attributes:
        pullback: From the gradients of the outputs and last states to those of the steps of x, of
            the initial states and of the weights.
        outputs: Shapes of the outputs, one for each step or only the last.
        states: Shapes of the last states.
        steps: Number of steps.
        initial_states: Number of initial states that were given.
    """

    pullback: Pullback
    outputs: list[tuple[int, ...]]
    states: list[tuple[int, ...]]
    steps: int
    initial_states: int


class CellLoop:
    """Calls a cell once for each step.

    Args:
        cell: The cell.
    """

    features = None
    """Number of features, which only the cell knows."""

    def __init__(self, cell: Any) -> None:
        self._cell = cell
        self._engine = vjp  # which library the cell is written in

    def walk(
        self,
        x: np.ndarray,
        training: bool,
        mask: np.ndarray | None,
        initial_state: Sequence[np.ndarray] | None,
        *,
        keep_tape: bool = True,
        **options: Any,
    ) -> Walked:
        """Walk the steps; see `RecurrentCell.walk`.

        Raises:
            TypeError: If the cell is made of functions that cannot be differentiated.
            ValueError: If the cell returns what does not fit.
        """
        steps = x.shape[1]
        given = [] if initial_state is None else list(initial_state)
        variables = self._cell.weights if isinstance(self._cell, Layer) else []

        def all_steps(*arrays: Any) -> Any:
            states = list(arrays[steps : steps + len(given)])
            weights = zip(variables, arrays[steps + len(given) :], strict=True)
            traced = {id(variable): array for variable, array in weights}
            outside = (
                attributes_traced(self._cell) if isinstance(self._cell, Layer) else nullcontext()
            )
            with as_traced(traced, training), outside, one_draw(self._cell):
                outputs, last = self._walk(arrays[:steps], states, training, mask, **options)
            return (*outputs, *last)

        arrays = [*(x[:, step] for step in range(steps)), *given]
        if not keep_tape and not training:
            with one_draw(self._cell):
                outputs, states = self._walk(arrays[:steps], given, training, mask, **options)
            pullback = None
        else:  # also without a tape: layers in the cell learn from the trace that dropout is active
            arrays += [variable.value for variable in variables]
            name = getattr(self._cell, "name", type(self._cell).__name__)
            differentiable = Differentiable(all_steps, f"Cell '{name}'", self._engine)
            try:
                values, pullback = differentiable.vjp(*arrays)
                self._engine = differentiable.engine
            except TypeError as error:
                if isinstance(error.__cause__, _ResultError):
                    raise error.__cause__ from None
                raise
            number = len(flatten(self._cell.state_size))
            outputs, states = values[:-number], values[-number:]
        result = np.stack(outputs, axis=1) if options.get("return_sequences") else outputs[0]
        tape = None
        if keep_tape and pullback is not None:
            shapes = [[each.shape for each in part] for part in (outputs, states)]
            tape = _Tape(pullback, shapes[0], shapes[1], steps, len(given))
        return Walked(
            np.ascontiguousarray(result, np.float32),
            tuple(np.ascontiguousarray(each, np.float32) for each in states),
            tape,
        )

    def _walk(
        self,
        x: Sequence[Any],
        states: list[Any],
        training: bool,
        mask: np.ndarray | None,
        *,
        go_backwards: bool = False,
        zero_output_for_mask: bool = False,
        return_sequences: bool = False,
    ) -> tuple[list[Any], list[Any]]:
        """Call the cell for each step of x, `[batch, features]` each, traced or not.

        Returns:
            The outputs of all steps in the order of the time, or of the last alone; and the states.
        """
        options = {"training": training} if takes_training(self._cell) else {}
        form = self._cell.state_size
        batch, steps = x[0].shape[0], len(x)
        states = states or first_states(self._cell, batch)
        shapes: list[tuple[int, ...]] = [(batch, size) for size in flatten(form)]
        outputs: list[Any] = [None] * steps
        output = None
        for step in reversed(range(steps)) if go_backwards else range(steps):
            given = pack(form, states) if isinstance(form, (list, tuple)) else states
            new_output, new = _checked(self._cell.call(x[step], given, **options), shapes)
            if mask is not None:
                kept = mask[:, step].reshape(batch, *[1] * (new_output.ndim - 1))
                before = np.zeros(new_output.shape, np.float32) if output is None else output
                where = chooser(new_output, before, *new, *states)
                new = [where(kept, a, b) for a, b in zip(new, states, strict=True)]
                output = where(kept, new_output, before)
                zeros = np.zeros(output.shape, np.float32)
                outputs[step] = where(kept, output, zeros) if zero_output_for_mask else output
            else:
                output = outputs[step] = new_output
            states, last = new, step
        return outputs if return_sequences else [outputs[last]], states

    def walk_back(
        self,
        tape: _Tape,
        d_outputs: np.ndarray | None,
        input_gradient: bool = True,
        d_states: Sequence[np.ndarray | None] | None = None,
        consume: bool = False,
    ) -> WalkGradients:
        """Go back through `walk`; see `RecurrentCell.walk_back`."""
        steps = len(tape.outputs)
        if d_outputs is None:
            d = [np.zeros(shape, np.float32) for shape in tape.outputs]
        else:
            d = (
                [d_outputs]
                if steps == 1 and d_outputs.ndim == len(tape.outputs[0])
                else [d_outputs[:, step] for step in range(steps)]
            )
        for each, shape in zip(d_states or [None] * len(tape.states), tape.states, strict=True):
            d.append(np.zeros(shape, np.float32) if each is None else each)
        found = tape.pullback(d)
        weights = tape.steps + tape.initial_states
        return WalkGradients(
            np.stack(found[: tape.steps], axis=1) if input_gradient else None,
            list(found[weights:]),
            found[tape.steps : weights] or None,
        )


def first_states(cell: Any, batch: int) -> list[Any]:
    """Return the states before the first step, in one row: those of the cell's own, or zeros.

    Args:
        cell: A cell.
        batch: Number of rows.
    """
    if (own := getattr(cell, "get_initial_state", None)) is not None:
        states = flatten(own(batch_size=batch))
        return [each if has_history(each) else as_floats(each, "initial_state") for each in states]
    return [np.zeros((batch, size), np.float32) for size in flatten(cell.state_size)]


def build_inside(cell: Any, input_shape: Any) -> None:
    """Build the layers inside a cell that its own `build` leaves to the first call.

    Args:
        cell: A cell.
        input_shape: `(batch, steps, features)`, the features known.
    """
    inside = [cell] if isinstance(cell, Layer) else []
    for each in inside:
        inside += each._sublayers()
    if all(each.built for each in inside):
        return
    batch = input_shape[0] or 1
    states = first_states(cell, batch)
    form = cell.state_size
    given = pack(form, states) if isinstance(form, (list, tuple)) else states
    cell.call(np.zeros((batch, input_shape[2]), np.float32), given)


def _checked(result: Any, shapes: list[tuple[int, ...]]) -> tuple[Any, list[Any]]:
    """Return what a cell returned, the output and the new states in one row, or refuse it."""
    if not isinstance(result, (list, tuple)) or len(result) != 2:
        raise _ResultError(
            "`call` of a cell must return a tuple of the output and the list of the new states. "
            f"Received: {result!r}"
        )
    output, *states = (
        each if has_history(each) else as_floats(each, "result of the cell")
        for each in (result[0], *flatten(result[1]))
    )
    if [each.shape for each in states] != shapes:
        raise _ResultError(
            f"The cell must return states of the shapes {shapes}, as its `state_size` says. "
            f"Received: {[each.shape for each in states]}"
        )
    return output, states


def takes_training(cell: Any) -> bool:
    """Return whether `call` of a cell has an argument `training`.

    Args:
        cell: A cell.
    """
    return "training" in inspect.signature(cell.call).parameters


def check_cell(cell: Any, name: str = "cell") -> None:
    """Refuse what is not a cell.

    Raises:
        ValueError: If it lacks `call` or `state_size`, or the latter is of another kind.
    """
    for attribute in ("call", "state_size"):
        if not hasattr(cell, attribute):
            raise ValueError(
                f"`{name}` must have the attributes `call` and `state_size`. "
                f"Received: {name}={cell!r}, without `{attribute}`"
            )
    sizes = flatten(cell.state_size)
    if not sizes or not all(is_integer(size) and size > 0 for size in sizes):
        raise ValueError(
            "`state_size` of a cell must be a positive integer or a list of them. "
            f"Received: state_size={cell.state_size!r}"
        )
