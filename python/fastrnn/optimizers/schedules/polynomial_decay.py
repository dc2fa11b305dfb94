"""A learning rate that falls along a polynomial to an end."""

from __future__ import annotations

import numpy as np

from fastrnn.arguments import check_number, check_positive
from fastrnn.optimizers.schedules.learning_rate_schedule import LearningRateSchedule


class PolynomialDecay(LearningRateSchedule):
    """`(initial - end) * (1 - step / decay_steps) ** power + end`; `end` after `decay_steps`.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of updates, above 0, until the end is reached.
        end_learning_rate: Learning rate at the end.
        power: Degree of the polynomial, at least 0; 1 for a straight line.
        cycle: Whether the end, once reached, moves away to the next multiple of `decay_steps`,
            rather than the learning rate stay there.
        name: Name of the schedule.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> PolynomialDecay(0.75, decay_steps=4, end_learning_rate=0.25)(2)
        0.5
    """

    config_arguments: tuple[str, ...] = (
        "initial_learning_rate",
        "decay_steps",
        "end_learning_rate",
        "power",
        "cycle",
        "name",
    )

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        check_number("initial_learning_rate", initial_learning_rate)
        check_positive("decay_steps", decay_steps)
        check_number("end_learning_rate", end_learning_rate)
        check_number("power", power, 0.0)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate after `step` updates."""
        one, at, decay_steps = np.float32(1.0), np.float32(step), np.float32(self.decay_steps)
        if self.cycle:
            decay_steps *= np.maximum(np.ceil(at / decay_steps), one)
        end = np.float32(self.end_learning_rate)
        left = one - np.minimum(at, decay_steps) / decay_steps
        range_ = np.float32(self.initial_learning_rate) - end
        return float(range_ * left ** np.float32(self.power) + end)
