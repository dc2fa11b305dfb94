"""What all learning-rate schedules share."""

from __future__ import annotations

from typing import Any

from fastrnn.configurable import Configurable
from fastrnn.results import returns_numpy


class LearningRateSchedule(Configurable):
    """Base of all schedules: a function of the number of finished updates.

    Subclasses implement `__call__` and `get_config`. Pass an object as an optimizer's
    `learning_rate`. The schedules of this package compute in float32, as Keras does, so that the
    steps of a staircase begin where Keras's begin.

    Example:
        >>> class Halving(LearningRateSchedule):
        ...     def __call__(self, step: int) -> float:
        ...         return 0.1 * 0.5**step
        >>> Halving()(2)
        0.025
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls):
            cls.__call__ = returns_numpy(cls.__call__)  # type: ignore[method-assign]

    def __call__(self, step: int) -> float:
        """Return the learning rate after `step` updates."""
        raise NotImplementedError(f"`{type(self).__name__}` must implement `__call__`.")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        if not self.config_arguments:
            raise NotImplementedError(f"`{type(self).__name__}` must implement `get_config`.")
        return super().get_config()
