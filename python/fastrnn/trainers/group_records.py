"""Loss and metrics of row groups, which ranks add up in the order of the groups."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.metrics import Metric


class Record(NamedTuple):
    """What a group adds to the means of loss and metrics.

    Attributes:
        samples: By how much it counts in the mean of the loss.
        penalty: What the regularizers of outputs add, times its share of the rows.
        losses: The loss of each output that has one.
        divisors: By how much each counts in the loss of the batch.
        sums: What was gathered for each metric: its attributes named in `sums`.
    """

    samples: int
    penalty: float
    losses: list[float]
    divisors: list[float]
    sums: list[list[Any]]


def is_summed(metric: Metric) -> bool:
    """Return whether what a metric gathers is a sum over the samples, also of a user's class."""
    update = getattr(type(metric), "update_state", None)
    own = getattr(update, "__module__", "").startswith("fastrnn.metrics.")
    return own and bool(metric.sums)


def sums_of(metric: Metric) -> list[Any]:
    """Return what a metric has gathered."""
    return [functools.reduce(getattr, name.split("."), metric) for name in metric.sums]


def set_sums(metric: Metric, sums: Sequence[Any]) -> None:
    """Bring back what `sums_of` returned."""
    for name, value in zip(metric.sums, sums, strict=True):
        *path, last = name.split(".")
        setattr(functools.reduce(getattr, path, metric), last, value)


def added(left: list[Any] | None, right: list[Any]) -> list[Any]:
    """Return the sums of two parts of what a metric gathers."""
    if left is None:
        return right
    return [one + other for one, other in zip(left, right, strict=True)]


def factors_of(divisors: np.ndarray, is_sum: Sequence[bool]) -> np.ndarray:
    """Return the factor of each group in the loss of each output.

    Args:
        divisors: Those of all groups in their order, `[groups, outputs]`.
        is_sum: Whether the loss of the output is the sum of those of the groups.
    """
    totals = np.zeros(divisors.shape[1])
    for row in divisors:
        totals += row
    factors: np.ndarray = np.divide(
        divisors, totals, out=np.zeros_like(divisors), where=totals != 0.0
    )
    factors[:, list(is_sum)] = 1.0
    return factors
