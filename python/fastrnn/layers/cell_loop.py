"""A walk over the steps in Python, for cells that the kernels do not have."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import is_integer
from fastrnn.layers.inputs import as_floats
from fastrnn.layers.recurrent_cell import Walked, WalkGradients, one_draw
from fastrnn.symbolic import flatten, pack


class CellLoop:
    """Calls a cell once for each step.

    Args:
        cell: The cell.
    """

    features = None
    """Number of features, which only the cell knows."""

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def walk(
        self,
        x: np.ndarray,
        training: bool,
        mask: np.ndarray | None,
        initial_state: Sequence[np.ndarray] | None,
        *,
        go_backwards: bool = False,
        zero_output_for_mask: bool = False,
        return_sequences: bool = False,
        keep_tape: bool = True,
    ) -> Walked:
        """Walk the steps; see `RecurrentCell.walk`.

        Raises:
            ValueError: If a backward pass is to follow, or the cell returns what does not fit.
        """
        if keep_tape:
            raise ValueError(
                "A cell that is not SimpleRNNCell, LSTMCell, GRUCell or a stack of them cannot be "
                f"trained yet; `predict` works. Received: cell={self._cell!r}"
            )
        options = {"training": training} if takes_training(self._cell) else {}
        form = self._cell.state_size
        sizes = flatten(form)
        states = self._first_states(len(x)) if initial_state is None else list(initial_state)
        batch, steps = x.shape[:2]
        outputs: list[Any] = [None] * steps
        output = None
        with one_draw(self._cell):
            for step in reversed(range(steps)) if go_backwards else range(steps):
                given = pack(form, states) if isinstance(form, (list, tuple)) else states
                new_output, new = self._cell.call(x[:, step], given, **options)
                new_output = as_floats(new_output, "output of the cell")
                new = [as_floats(each, "states of the cell") for each in flatten(new)]
                if [each.shape for each in new] != [(batch, size) for size in sizes]:
                    raise ValueError(
                        f"The cell must return states of the shapes "
                        f"{[(batch, size) for size in sizes]}, as its `state_size` says. "
                        f"Received: {[each.shape for each in new]}"
                    )
                if mask is not None:
                    kept = mask[:, step, np.newaxis]
                    before = np.zeros_like(new_output) if output is None else output
                    new = [np.where(kept, a, b) for a, b in zip(new, states, strict=True)]
                    output = np.where(kept, new_output, before)
                    outputs[step] = np.where(kept, output, 0) if zero_output_for_mask else output
                else:
                    output = outputs[step] = new_output
                states, last = new, step
        result = np.stack(outputs, axis=1) if return_sequences else outputs[last]
        return Walked(np.ascontiguousarray(result, np.float32), tuple(states), None)

    def walk_back(self, *_: Any) -> WalkGradients:
        """Refuse: `walk` keeps no tape."""
        raise ValueError("A cell of your own cannot be trained yet.")

    def _first_states(self, batch: int) -> list[np.ndarray]:
        """Return the states before the first step: those of the cell's own, or zeros."""
        if (own := getattr(self._cell, "get_initial_state", None)) is not None:
            return [as_floats(each, "initial_state") for each in flatten(own(batch_size=batch))]
        return [np.zeros((batch, size), np.float32) for size in flatten(self._cell.state_size)]


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
