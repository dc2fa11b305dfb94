"""A learning rate that falls by a constant factor."""

from __future__ import annotations

import numpy as np

from fastrnn.arguments import check_number, check_positive
from fastrnn.optimizers.schedules.learning_rate_schedule import LearningRateSchedule


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of updates, above 0, in which it falls to `decay_rate` of itself.
        decay_rate: The factor, at least 0.
        staircase: Whether `step / decay_steps` is rounded down, so that it falls in steps.
        name: Name of the schedule.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> ExponentialDecay(0.5, decay_steps=10, decay_rate=0.5)(20)
        0.125
    """

    config_arguments: tuple[str, ...] = (
        "initial_learning_rate",
        "decay_steps",
        "decay_rate",
        "staircase",
        "name",
    )

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        check_number("initial_learning_rate", initial_learning_rate)
        check_positive("decay_steps", decay_steps)
        check_number("decay_rate", decay_rate, 0.0)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate after `step` updates."""
        periods = np.float32(step) / np.float32(self.decay_steps)
        if self.staircase:
            periods = np.floor(periods)
        return float(
            np.float32(self.initial_learning_rate) * np.float32(self.decay_rate) ** periods
        )
