"""Sets the learning rate of each epoch by a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.callbacks.callback import Callback, Logs, say
from fastrnn.callbacks.learning_rate import log_learning_rate


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch to the result of a function.

    The learning rate of each epoch is added to its logs as `learning_rate`.

    Args:
        schedule: Function that returns the new learning rate as a float. It is called with the
            epoch, from 0, and the present learning rate, or with the epoch alone.
        verbose: 1 to print each learning rate.

    Raises:
        TypeError: If `schedule` is not a function.
        ValueError: In `fit`, if it returns something other than a float.

    Example:
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("adam", "mse")
        >>> halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
        >>> history = model.fit(np.ones((4, 2)), np.ones(4), 4, 3, verbose=0, callbacks=[halve])
        >>> [round(rate, 6) for rate in history.history["learning_rate"]]
        [0.001, 0.0005, 0.00025]
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"`schedule` must be a function. Received: schedule={schedule!r}")
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Set the learning rate."""
        optimizer = self.model.optimizer
        present = (float(optimizer.learning_rate),) if _takes_rate(self.schedule) else ()
        rate = self.schedule(epoch, *present)
        if not isinstance(rate, (float, np.floating)):
            raise ValueError(
                f"`schedule` must return a float. Received: {rate!r} for epoch {epoch}"
            )
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: learning rate set to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Add the learning rate to the logs."""
        log_learning_rate(self.model, logs)


def _takes_rate(schedule: Callable[..., Any]) -> bool:
    try:
        inspect.signature(schedule).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a function written in C may have no signature
        return True
    return True
