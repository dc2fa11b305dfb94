"""The base of callbacks that watch one of the numbers of an epoch."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.callbacks.callback import Callback, Logs
from fastrnn.callbacks.direction import better_mode

_MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Base of the callbacks that compare a number of the logs with the best one so far.

    Args:
        monitor: Name of the number, as it stands in the logs: `"loss"`, `"val_accuracy"`, ...
        mode: `"min"` if smaller is better, `"max"` if larger is, `"auto"` to derive it from the
            loss or metric of that name. Any other mode gives a warning and counts as `"auto"`.
        baseline: The best number at the beginning; None for no number.
        min_delta: By how much a number must beat the best one to count as better; the sign is
            ignored.

    Attributes:
        best: The best number so far, or None.
        monitor_op: Function of two numbers that tells whether the first is better; None until the
            end of the first epoch.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0.0,
    ) -> None:
        super().__init__()
        if not isinstance(monitor, str):
            raise TypeError(f"`monitor` must be a name. Received: monitor={monitor!r}")
        if mode not in _MODES:
            warnings.warn(
                f"`mode` of {type(self).__name__} must be one of {_MODES} and is taken as 'auto'. "
                f"Received: mode={mode!r}",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def _set_monitor_op(self) -> None:
        """Find out which numbers are better, which needs the metrics of the model."""
        mode = self.mode if self.mode != "auto" else self._mode_of_metric()
        self.monitor_op = operator.lt if mode == "min" else operator.gt

    def _mode_of_metric(self) -> str:
        name = self.monitor.removeprefix("val_")
        mode = "min" if name == "loss" else None
        for metric in getattr(self.model, "metrics", ()):
            if metric.name == name:
                mode = better_mode(metric) or mode
        if mode is None:
            raise ValueError(
                f"`mode` of {type(self).__name__} must be 'min' or 'max', as it is not known "
                f"whether less or more of `{self.monitor}` is better. Received: mode='auto'"
            )
        return mode

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        """Return whether a number beats another by more than `min_delta`."""
        if reference is None:
            return True
        if self.monitor_op is None:
            self._set_monitor_op()
        assert self.monitor_op is not None
        margin = -self.min_delta if self.monitor_op is operator.gt else self.min_delta
        # Keras compares in float32: less than its rounding is not an improvement.
        return bool(self.monitor_op(np.float32(value + margin), np.float32(reference)))

    def _monitored(self, logs: Logs, effect: str) -> Any:
        """Return the watched number, or None with a warning that states the effect."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            reason = f"is not among the logs: {', '.join(logs) or 'none'}"
        elif np.ndim(value) > 0:
            reason, value = f"is not a single number: {value}", None
        else:
            return value
        warnings.warn(
            f"{type(self).__name__} {effect}, because `{self.monitor}` {reason}.", stacklevel=3
        )
        return None
