"""Gradients beside the variables that they belong to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

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
        if array.shape != variable.shape:
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
