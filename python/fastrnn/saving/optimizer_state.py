"""The numbers of an optimizer, in the order of Keras's `optimizer.variables`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastrnn.files import hdf5
from fastrnn.optimizers import Optimizer
from fastrnn.variable import Variable

if TYPE_CHECKING:
    import h5py


def state_of(optimizer: Optimizer) -> list[tuple[str, np.ndarray]]:
    """Return path and value of the step count, of a fixed learning rate, and of each slot."""
    store: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(store)
    slots = [slot.path for slot in optimizer.slots]
    counters = ["iteration", "learning_rate"][: len(store) - len(slots)]
    paths = [*(f"{optimizer.name}/{name}" for name in counters), *slots]
    return [(path, store[str(number)]) for number, path in enumerate(paths)]


def read_state(
    group: h5py.Group,
    names: Sequence[str],
    optimizer: Optimizer,
    source: str,
    variables: Sequence[Variable] | None = None,
) -> list[np.ndarray] | None:
    """Return the state of an optimizer that a file holds.

    Args:
        group: Where the arrays are.
        names: The arrays, in the order of `state_of`. Keras 2 leaves the learning rate out: it
            stands in the config.
        optimizer: The optimizer that they are for.
        source: Name of the file, for messages.
        variables: What to build the optimizer for, if the file has slots; None to leave it as it
            is.

    Returns:
        The values; or None, with a warning as in Keras, if they are those of another optimizer.
    """
    count = len(names)
    if variables is not None and count > len(state_of(optimizer)):
        optimizer.build(variables)
    shapes = [value.shape for _, value in state_of(optimizer)]
    has_rate = len(shapes) == 2 + len(optimizer.slots)  # a number, not computed for each step
    if has_rate and count == len(shapes) - 1:
        del shapes[1]
    if count != len(shapes):
        warnings.warn(
            f"The state of the optimizer in '{source}' was skipped: it has {count} arrays, that of "
            f"the model {len(shapes)}"
            f"{'' if optimizer.built else ' before the optimizer is built'}.",
            stacklevel=2,
        )
        return None
    pairs = zip(names, shapes, strict=True)
    return [hdf5.array_at(group, name, shape, source) for name, shape in pairs]


def restore_state(optimizer: Optimizer, values: Sequence[np.ndarray]) -> None:
    """Set the state of an optimizer to values that `read_state` returned."""
    present = [value for _, value in state_of(optimizer)]
    if len(values) < len(present):
        values = [values[0], present[1], *values[1:]]
    optimizer.load_own_variables({str(number): value for number, value in enumerate(values)})
