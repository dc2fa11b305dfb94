"""Learning rates that follow a formula of the step, by object or config as in Keras."""

from __future__ import annotations

from typing import Any

from fastrnn.optimizers.schedules.cosine_decay import CosineDecay
from fastrnn.optimizers.schedules.cosine_decay_restarts import CosineDecayRestarts
from fastrnn.optimizers.schedules.exponential_decay import ExponentialDecay
from fastrnn.optimizers.schedules.inverse_time_decay import InverseTimeDecay
from fastrnn.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from fastrnn.optimizers.schedules.piecewise_constant_decay import PiecewiseConstantDecay
from fastrnn.optimizers.schedules.polynomial_decay import PolynomialDecay
from fastrnn.utils import registry

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]

_CLASSES: tuple[type[LearningRateSchedule], ...] = (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
_REGISTRY: registry.Registry[LearningRateSchedule] = registry.Registry(
    "learning rate schedule", LearningRateSchedule, {cls.__name__: cls for cls in _CLASSES}
)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return the config dict of a schedule, in Keras's form.

    Args:
        learning_rate_schedule: The schedule.

    Returns:
        Dict of plain values with `class_name` and `config`, from which `deserialize` makes an equal
        schedule.

    Example:
        >>> serialize(PiecewiseConstantDecay([100], [0.5, 0.25]))["class_name"]
        'PiecewiseConstantDecay'
    """
    return registry.serialize(learning_rate_schedule, "keras.optimizers.schedules")


def deserialize(config: Any) -> LearningRateSchedule:
    """Make a schedule.

    Args:
        config: What `serialize` returned: a dict with `class_name` and `config`.

    Returns:
        The schedule.

    Raises:
        ValueError: If `config` is not such a dict, or names no schedule.

    Example:
        >>> schedule = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
        >>> deserialize(serialize(schedule)).get_config() == schedule.get_config()
        True
    """
    return _REGISTRY.get(config)
