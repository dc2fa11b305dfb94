"""Gradients beside the variables that they belong to."""

from __future__ import annotations

import warnings
from collections.abc import Container, Sequence

import numpy as np

from fastrnn.table_gradient import TableGradient
from fastrnn.variable import Variable


def pair(
    grads: Sequence[np.ndarray | None], variables: Sequence[Variable]
) -> tuple[list[np.ndarray], list[Variable]]:
    """Check gradients against their variables, and leave out variables without one.

    Returns:
        The gradients in float32, and their variables.

    Raises:
        ValueError: If numbers or shapes do not fit, or all gradients are None.
    """
    if len(grads) != len(variables):
        raise ValueError(
            "Gradients and variables must match one to one. "
            f"Received: {len(grads)} gradients for {len(variables)} variables"
        )
    gradients, updated, missing = [], [], []
    for gradient, variable in zip(grads, variables, strict=True):
        if gradient is None:
            missing.append(variable.path)
            continue
        array: np.ndarray = gradient
        if not isinstance(gradient, TableGradient):
            array = np.asarray(gradient, dtype=np.float32)
        if array.shape != variable.value.shape:
            raise ValueError(
                f"The gradient of variable `{variable.path}` must have shape {variable.shape}. "
                f"Received: shape={array.shape}"
            )
        gradients.append(array)
        updated.append(variable)
    if not gradients:
        raise ValueError("No gradients provided for any variable.")
    if missing:
        warnings.warn(f"There are no gradients for the variables {missing}.", stacklevel=3)
    return gradients, updated


def refuse_unknown_variables(variables: Sequence[Variable], known: Container[int]) -> None:
    """Refuse variables that an optimizer was not built with.

    Args:
        variables: The variables.
        known: Identities of those that it was built with.

    Raises:
        ValueError: If there is one.
    """
    unknown = [variable for variable in variables if id(variable) not in known]
    if unknown:
        raise ValueError(
            "The optimizer can only update the variables it was built with: after a layer was "
            "made trainable again, call `compile` with a new optimizer. "
            f"Received: {unknown[0]!r}"
        )


def accumulate(
    gradients: Sequence[np.ndarray],
    sums: Sequence[np.ndarray],
    all_sums: Sequence[np.ndarray],
    steps: int,
    calls: int,
) -> list[np.ndarray]:
    """Add gradients to their sums; return the means if they are due, else nothing.

    Args:
        gradients: The gradients.
        sums: The sum of each.
        all_sums: These, and those of variables that have no gradient this time.
        steps: How many gradients make a mean.
        calls: How many times gradients were added before.
    """
    if (calls + 1) % steps:
        for total, gradient in zip(sums, gradients, strict=True):
            total += gradient
        return []
    count = np.float32(steps)
    means = [(gradient + total) / count for gradient, total in zip(gradients, sums, strict=True)]
    for total in all_sums:
        total.fill(0.0)
    return means
