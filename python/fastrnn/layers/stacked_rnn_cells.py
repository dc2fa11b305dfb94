"""Several cells as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.calls import trains_now
from fastrnn.layers.cell_loop import CellLoop, check_cell, takes_training
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.recurrent_cell import RecurrentCell, Walked, WalkGradients
from fastrnn.layers.serialization import deserialize, serializable, serialize
from fastrnn.symbolic import flatten
from fastrnn.tracing import is_tracing


@serializable("keras.layers")
class StackedRNNCells(Layer):
    """A stack of cells, each of which takes the output of the one below it in the same step.

    Args:
        cells: List of cells, the lowest first.
        **kwargs: `name`, `trainable`.

    Call arguments:
        inputs: `[batch, features]`, one step.
        states: A list with the states of each cell, as `state_size` has them.
        training: Whether dropout is active.

    Returns of a call:
        A tuple of the output of the highest cell and the list of the new states of each cell; of
        one cell alone its states.

    Raises:
        ValueError: If there is no cell, or one lacks `call` or `state_size`.

    Example:
        >>> import numpy as np
        >>> from fastrnn.layers import RNN, GRUCell, LSTMCell
        >>> cells = StackedRNNCells([GRUCell(4), LSTMCell(6)])
        >>> cells.state_size
        [4, [6, 6]]
        >>> RNN(cells)(np.zeros((2, 5, 3))).shape
        (2, 6)
    """

    not_called = Layer.not_called | {"backward", "forward"}
    takes_traced = True

    def _prepare_trace(self) -> None:
        self.traced = None  # `RNN` walks with the cell; nothing trains one that stands alone

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(f"`cells` must be a list of cells. Received: cells={cells!r}")
        for cell in cells:
            check_cell(cell, "cells")
        super().__init__(**kwargs)
        self.cells = list(cells)
        self._walkers = [walker_of(cell) for cell in self.cells]
        if not self.trainable:
            self.trainable = False  # that of the cells too

    def _sublayers(self) -> list[Layer]:
        return [cell for cell in self.cells if isinstance(cell, Layer)]

    @property
    def state_size(self) -> list[Any]:
        """Number of units of each state, by cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """Number of units of the output."""
        return _output_size(self.cells[-1])

    @property
    def features(self) -> int | None:
        """Number of features that the lowest cell was built for, if it says so."""
        return getattr(self.cells[0], "features", None)

    def get_initial_state(self, batch_size: int | None = None) -> list[Any]:
        """Return the states before the first step where none are given, by cells.

        Args:
            batch_size: Number of rows.
        """
        rows = batch_size or 0
        states = []
        for cell in self.cells:
            own = getattr(cell, "get_initial_state", None)
            if own is not None:
                states.append(own(batch_size=rows))
            else:
                sizes = flatten(cell.state_size)
                states.append([np.zeros((rows, size), np.float32) for size in sizes])
        return states

    def _create_weights(self, input_shape: Shape) -> None:
        shape = input_shape
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.scope = f"{self.scope}{self.name}/"
                cell.build(shape)
                cell.built = True  # a `build` of the user's may not say so
            shape = (shape[0], _output_size(cell))

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        """Return the shape of the output of one step.

        Args:
            input_shape: `(batch, features)`.
            states_shape: Accepted for Keras's sake; without effect.
        """
        return (input_shape[0], self.output_size)

    def call(self, x: Any, states: Any = (), training: bool | None = None) -> Any:
        """Take one step.

        Args:
            x: `[batch, features]`.
            states: A list with the states of each cell.
            training: Whether dropout is active; None for what holds for a cell around this one.
        """
        training = trains_now(training)
        new_states: list[Any] = []
        for cell, own in zip(self.cells, states, strict=True):
            given = list(own) if isinstance(own, (list, tuple)) else [own]
            options = {"training": training} if takes_training(cell) else {}
            in_trace = is_tracing() and isinstance(cell, Layer)
            x, new = (cell if in_trace else cell.call)(x, given, **options)
            if not isinstance(own, (list, tuple)) and isinstance(new, (list, tuple)):
                (new,) = new
            new_states.append(new)
        return x, new_states if len(new_states) > 1 else new_states[0]

    # -------------------------------------------------------------------------------- all steps

    def walk(
        self,
        x: Any,
        training: bool,
        mask: np.ndarray | None,
        initial_state: Sequence[np.ndarray] | None,
        *,
        return_sequences: bool = False,
        zero_output_for_mask: bool = False,
        **options: Any,
    ) -> Walked:
        """Walk the steps with one cell after another.

        A masked step changes no state of any cell, so that it does not matter what a cell below
        returns for it.

        Args:
            x: `[batch, steps, features]`, or embedded tokens.
            training: Whether dropout is active.
            mask: `[batch, steps]`, booleans, or None.
            initial_state: The states before the first step, flat, or None.
            return_sequences: Whether to return the outputs of all steps, in the order of the time.
            zero_output_for_mask: Whether the output of a masked step is zeros.
            **options: Further arguments of `RecurrentCell.walk`.

        Returns:
            Outputs, last states and the tape of each cell.
        """
        given = self._by_cell(initial_state)
        states: tuple[np.ndarray, ...] = ()
        tapes = []
        for number in range(len(self.cells)):
            is_last = number == len(self.cells) - 1
            walked = self._walkers[number].walk(
                x,
                training,
                mask,
                given[number],
                return_sequences=return_sequences or not is_last,
                zero_output_for_mask=zero_output_for_mask and is_last,
                **options,
            )
            x = walked.outputs
            states += walked.states
            tapes.append(walked.tape)
        return Walked(x, states, tapes)

    def walk_back(
        self,
        tape: Any,
        d_outputs: np.ndarray | None,
        input_gradient: bool = True,
        d_states: Sequence[np.ndarray | None] | None = None,
        consume: bool = False,
    ) -> WalkGradients:
        """Go back through `walk`, from the highest cell to the lowest.

        Args:
            tape: The tape that it returned.
            d_outputs: Gradient with respect to its outputs, in the order of the time, or None.
            input_gradient: Whether the gradient with respect to x is wanted.
            d_states: Gradients with respect to its last states; None, or None for one, for zeros.
            consume: Whether the tape may be overwritten.

        Returns:
            The gradients of x, of the weights and of the initial states.
        """
        given = self._by_cell(d_states)
        d_weights: dict[int, np.ndarray] = {}  # a cell may stand in the stack twice
        d_initial: tuple[np.ndarray, ...] = ()
        d = d_outputs
        for number in reversed(range(len(self.cells))):
            cell = self.cells[number]
            back = self._walkers[number].walk_back(
                tape[number], d, bool(number) or input_gradient, given[number], consume
            )
            variables = cell.weights if isinstance(cell, Layer) else []
            for variable, gradient in zip(variables, back.weights, strict=True):
                there = d_weights.get(id(variable))
                d_weights[id(variable)] = gradient if there is None else there + gradient
            d_initial = (*(back.initial_state or ()), *d_initial)
            d = back.x
        return WalkGradients(d, [d_weights[id(each)] for each in self.weights], d_initial or None)

    def _by_cell(self, flat: Sequence[Any] | None) -> list[Any]:
        """Share out what stands in one row to the cells; None stays None for each."""
        if flat is None:
            return [None] * len(self.cells)
        shared, start = [], 0
        for cell in self.cells:
            number = len(flatten(cell.state_size))
            shared.append(list(flat[start : start + number]))
            start += number
        return shared

    # ----------------------------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        if any(not isinstance(cell, Layer) for cell in self.cells):
            raise ValueError(f"All cells must be layers to have configs. Received: {self.cells}")
        return {**self._shared_config(), "cells": [serialize(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> StackedRNNCells:
        """Make a stack, without weights, from the result of `get_config` (Keras's works too)."""
        return super().from_config({**config, "cells": list(map(deserialize, config["cells"]))})


def walker_of(cell: Any) -> Any:
    """Return what walks over all steps: the cell itself, or a loop that calls a cell of the user's.

    Args:
        cell: A cell.
    """
    for base in (RecurrentCell, StackedRNNCells):
        if isinstance(cell, base) and getattr(cell, "is_native", True):
            own = (getattr(type(cell), name) for name in ("call", "get_initial_state", "walk"))
            theirs = (getattr(base, name) for name in ("call", "get_initial_state", "walk"))
            if all(one is other for one, other in zip(own, theirs, strict=True)):
                return cell
    return CellLoop(cell)


def on_kernels(cell: Any) -> bool:
    """Return whether the kernels walk with a cell and all cells in it.

    Args:
        cell: A cell.
    """
    return walker_of(cell) is cell and all(map(on_kernels, getattr(cell, "cells", ())))


def _output_size(cell: Any) -> int:
    size = getattr(cell, "output_size", None)
    return int(flatten(cell.state_size)[0] if size is None else size)
