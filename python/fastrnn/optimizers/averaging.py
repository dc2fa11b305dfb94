"""The exponential moving average of the weights (EMA; Polyak and Juditsky, 1992)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fastrnn.variable import Variable


def update_averages(
    averages: Iterable[np.ndarray], variables: Iterable[Variable], momentum: float
) -> None:
    """Move each average to `momentum * average + (1 - momentum) * variable`, in place."""
    kept = np.float32(momentum)
    for average, variable in zip(averages, variables, strict=True):
        average *= kept
        average += (np.float32(1.0) - kept) * variable.value


def overwrite(variables: Iterable[Variable], averages: Iterable[np.ndarray]) -> None:
    """Put the averages in the place of the variables."""
    for variable, average in zip(variables, averages, strict=True):
        variable.assign(average)
