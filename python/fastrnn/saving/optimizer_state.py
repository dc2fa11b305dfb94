"""The numbers of an optimizer, in the order of Keras's `optimizer.variables`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from fastrnn.optimizers import Optimizer


def state_of(optimizer: Optimizer) -> list[tuple[str, np.ndarray]]:
    """Return path and value of the step count, of a fixed learning rate, and of each slot."""
    store: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(store)
    slots = [slot.path for slot in optimizer.variables]
    counters = ["iteration", "learning_rate"][: len(store) - len(slots)]
    paths = [*(f"{optimizer.name}/{name}" for name in counters), *slots]
    return [(path, store[str(number)]) for number, path in enumerate(paths)]


def shapes_of(optimizer: Optimizer, count: int) -> list[tuple[int, ...]] | None:
    """Return the shapes of the values that a file holds, from their number.

    Args:
        optimizer: The optimizer that they are for.
        count: Number of values. Keras 2 leaves the learning rate out: it stands in the config.

    Returns:
        The shapes, or None if the file is that of an optimizer with other slots.
    """
    shapes = [value.shape for _, value in state_of(optimizer)]
    without_rate = _has_rate(optimizer) and count == len(shapes) - 1
    if without_rate:
        del shapes[1]
    return shapes if count == len(shapes) else None


def warn_of_other_state(optimizer: Optimizer, count: int, source: str) -> None:
    """Warn that a state is not restored, as Keras does."""
    warnings.warn(
        f"The state of the optimizer in '{source}' was skipped: it has {count} arrays, that of "
        f"the model {len(state_of(optimizer))}"
        f"{'' if optimizer.built else ' before the optimizer is built'}.",
        stacklevel=2,
    )


def restore_state(optimizer: Optimizer, values: Sequence[np.ndarray]) -> None:
    """Set the state of an optimizer to values in the shapes of `shapes_of`."""
    present = [value for _, value in state_of(optimizer)]
    if len(values) < len(present):
        values = [values[0], present[1], *values[1:]]
    optimizer.load_own_variables({str(number): value for number, value in enumerate(values)})


def _has_rate(optimizer: Optimizer) -> bool:
    """Whether the learning rate is a number that is kept, and not computed for each step."""
    return len(state_of(optimizer)) == 2 + len(optimizer.variables)
