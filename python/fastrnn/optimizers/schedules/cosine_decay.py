"""A learning rate that falls along half a period of the cosine, after an optional warmup."""

from __future__ import annotations

import math

import numpy as np

from fastrnn.arguments import check_number, check_positive
from fastrnn.optimizers.schedules.learning_rate_schedule import LearningRateSchedule


def cosine_share(fraction: np.float32, alpha: float, height: float = 1.0) -> np.float32:
    """Return `(1 - alpha) * height * (1 + cos(pi * fraction)) / 2 + alpha`, in float32."""
    half_height = np.float32(0.5) * np.float32(height)
    cosine = half_height * (np.float32(1.0) + np.cos(np.float32(math.pi) * fraction))
    return np.float32(np.float32(1 - alpha) * cosine + np.float32(alpha))


class CosineDecay(LearningRateSchedule):
    """Linear warmup, then a fall by `(1 + cos(pi * step / decay_steps)) / 2`, then rest.

    The warmup leads in `warmup_steps` from `initial_learning_rate` to `warmup_target` (Goyal et
    al., 2017). The decay (Loshchilov and Hutter, 2016) leads in `decay_steps` from there to
    `alpha` of it. Without `warmup_target` there is no warmup, whatever `warmup_steps` is.

    Args:
        initial_learning_rate: Learning rate at step 0.
        decay_steps: Number of updates, above 0, of the decay.
        alpha: Share of the learning rate that is left at the end.
        name: Name of the schedule.
        warmup_target: Learning rate at the end of the warmup, or None for no warmup.
        warmup_steps: Number of updates of the warmup.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> schedule = CosineDecay(0.0, decay_steps=10, warmup_target=0.5, warmup_steps=2)
        >>> [round(schedule(step), 3) for step in (0, 1, 2, 7, 12)]
        [0.0, 0.25, 0.5, 0.25, 0.0]
    """

    config_arguments: tuple[str, ...] = (
        "initial_learning_rate",
        "decay_steps",
        "alpha",
        "name",
        "warmup_target",
        "warmup_steps",
    )

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        check_number("initial_learning_rate", initial_learning_rate)
        check_positive("decay_steps", decay_steps)
        check_number("alpha", alpha)
        if warmup_target is not None:
            check_number("warmup_target", warmup_target)
        check_number("warmup_steps", warmup_steps, 0.0)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: int) -> float:
        """Return the learning rate after `step` updates."""
        at, decay_steps = np.float32(step), np.float32(self.decay_steps)
        start = np.float32(self.initial_learning_rate)
        if self.warmup_target is not None:
            target, warmup_steps = np.float32(self.warmup_target), np.float32(self.warmup_steps)
            if at < warmup_steps:
                return float((target - start) * (at / warmup_steps) + start)
            start, at = target, at - warmup_steps
        return float(start * cosine_share(np.minimum(at, decay_steps) / decay_steps, self.alpha))
