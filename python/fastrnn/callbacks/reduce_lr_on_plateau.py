"""Lowers the learning rate of a model that no longer improves."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from fastrnn.callbacks.callback import Logs, say
from fastrnn.callbacks.learning_rate import log_learning_rate
from fastrnn.callbacks.monitor_callback import MonitorCallback


class ReduceLROnPlateau(MonitorCallback):
    """Lowers the learning rate when a number has not improved for some epochs.

    The learning rate of each epoch is added to its logs as `learning_rate`.

    Args:
        monitor: Name of the number in the logs.
        factor: Factor of the learning rate, below 1.
        patience: Number of successive epochs without improvement after which to lower it.
        verbose: 1 to print each change.
        mode: `"min"`, `"max"`, or `"auto"` for what suits the metric of that name.
        min_delta: The least change that counts as an improvement.
        cooldown: Number of epochs after a change that do not count.
        min_lr: Lower limit of the learning rate.

    Raises:
        ValueError: If `factor` is 1 or more.

    Example:
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("adam", "mse")
        >>> reduce = callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=100)
        >>> x, y = np.ones((4, 2)), np.ones(4)
        >>> history = model.fit(x, y, epochs=4, verbose=0, callbacks=[reduce])
        >>> [round(rate, 6) for rate in history.history["learning_rate"]]
        [0.001, 0.001, 0.001, 0.0005]
    """

    state_names: ClassVar[tuple[str, ...]] = ("best", "wait", "cooldown_counter")

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"`factor` must be less than 1. Received: factor={factor!r}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forget an earlier training."""
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare with the best epoch so far; lower the rate if the patience has run out."""
        if self.monitor_op is None:
            self._set_monitor_op()
        log_learning_rate(self.model, logs)
        current = self._monitored(logs, "leaves the learning rate as it is")
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """Return whether the cooldown after a change is still running."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> bool:
        """Lower the learning rate if it is above its limit; return whether it was."""
        old = float(self.model.optimizer.learning_rate)
        if old <= np.float32(self.min_lr):  # rates are float32
            return False
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: learning rate lowered to {new} (plateau).")
        return True
