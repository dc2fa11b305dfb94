"""A learning rate that changes at given steps."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from fastrnn.arguments import check_number
from fastrnn.optimizers.schedules.learning_rate_schedule import LearningRateSchedule


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and with step `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: The last step of each value but the last, rising.
        values: Learning rates, one more than boundaries.
        name: Name of the schedule.

    Raises:
        ValueError: If the numbers of boundaries and values do not fit, or the boundaries do not
            rise.

    Example:
        >>> schedule = PiecewiseConstantDecay([100, 200], [1.0, 0.5, 0.25])
        >>> schedule(100), schedule(101), schedule(1000)
        (1.0, 0.5, 0.25)
    """

    config_arguments: tuple[str, ...] = ("boundaries", "values", "name")

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "`values` must have one more element than `boundaries`. "
                f"Received: boundaries={boundaries}, values={values}"
            )
        for boundary in boundaries:
            check_number("boundaries", boundary)
        for value in values:
            check_number("values", value)
        if any(low >= high for low, high in pairwise(boundaries)):
            raise ValueError(f"`boundaries` must rise. Received: boundaries={boundaries}")
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate after `step` updates."""
        return float(np.float32(self.values[bisect_left(self.boundaries, step)]))
