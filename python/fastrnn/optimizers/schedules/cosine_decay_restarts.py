"""A learning rate that falls along a cosine again and again."""

from __future__ import annotations

import numpy as np

from fastrnn.arguments import check_number, check_positive
from fastrnn.optimizers.schedules.cosine_decay import cosine_share
from fastrnn.optimizers.schedules.learning_rate_schedule import LearningRateSchedule


class CosineDecayRestarts(LearningRateSchedule):
    """`CosineDecay` with warm restarts (SGDR: Loshchilov and Hutter, 2016).

    Decay number i = 0, 1, ... takes `first_decay_steps * t_mul**i` updates and starts at
    `initial_learning_rate * m_mul**i` (where `alpha` is 0).

    Args:
        initial_learning_rate: Learning rate at step 0.
        first_decay_steps: Number of updates, above 0, of the first decay.
        t_mul: How many times longer each decay is than the one before, at least 1.
        m_mul: How many times higher each decay starts than the one before.
        alpha: Share of the initial learning rate at the end of each decay.
        name: Name of the schedule.
        name: Name of the schedule.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> schedule = CosineDecayRestarts(0.5, first_decay_steps=10, m_mul=0.5)
        >>> [round(schedule(step), 3) for step in (0, 5, 10, 20)]
        [0.5, 0.25, 0.25, 0.125]
    """

    config_arguments: tuple[str, ...] = (
        "initial_learning_rate",
        "first_decay_steps",
        "t_mul",
        "m_mul",
        "alpha",
        "name",
    )

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        check_number("initial_learning_rate", initial_learning_rate)
        check_positive("first_decay_steps", first_decay_steps)
        check_number("t_mul", t_mul, 1.0)
        check_number("m_mul", m_mul)
        check_number("alpha", alpha)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate after `step` updates."""
        one, t_mul = np.float32(1.0), np.float32(self.t_mul)
        # In units of the first decay: decay i starts at (1 - t_mul**i) / (1 - t_mul).
        at = np.float32(step) / np.float32(self.first_decay_steps)
        if t_mul == one:
            restarts = np.floor(at)
            fraction = at - restarts
        else:
            restarts = np.floor(np.log(one - at * (one - t_mul)) / np.log(t_mul))
            length = t_mul**restarts
            fraction = (at - (one - length) / (one - t_mul)) / length
        height = np.float32(self.m_mul) ** restarts
        return float(
            np.float32(self.initial_learning_rate) * cosine_share(fraction, self.alpha, height)
        )
