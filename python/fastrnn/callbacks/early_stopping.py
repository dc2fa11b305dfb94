"""Stops the training of a model that no longer improves."""

from __future__ import annotations

from typing import Any, ClassVar

from fastrnn.callbacks.callback import Logs, say
from fastrnn.callbacks.monitor_callback import MonitorCallback


class EarlyStopping(MonitorCallback):
    """Stops a training when a number has not improved for some epochs.

    Args:
        monitor: Name of the number in the logs.
        min_delta: The least change that counts as an improvement.
        patience: Number of successive epochs without improvement after which to stop. The first
            epoch never stops a training.
        verbose: 1 to print when it stopped and which weights it restored.
        mode: `"min"`, `"max"`, or `"auto"` for what suits the metric of that name.
        baseline: A number that must be beaten too before the patience starts again.
        restore_best_weights: Whether the model ends with the weights of its best epoch instead of
            its last one, stopped early or not.
        start_from_epoch: The first epoch that is watched, from 0.

    Attributes:
        stopped_epoch: The epoch after which it stopped, from 0; 0 if it did not.
        best: The best number.
        best_epoch: The epoch of the best number, from 0.

    Example:
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> stop = callbacks.EarlyStopping("loss", min_delta=100, patience=2)
        >>> x, y = np.ones((4, 2)), np.ones(4)
        >>> len(model.fit(x, y, epochs=9, verbose=0, callbacks=[stop]).epoch)
        3
    """

    state_names: ClassVar[tuple[str, ...]] = (
        "wait",
        "stopped_epoch",
        "best",
        "best_epoch",
        "best_weights",
    )

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_weights: list[Any] | None = None
        self.best_epoch = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Forget an earlier training."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare with the best epoch so far; stop if the patience has run out."""
        if self.monitor_op is None:
            self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Restore the weights of the best epoch."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                say(f"Weights restored are those of epoch {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs) -> Any:
        """Return the watched number, or None with a warning if the logs do not have it.

        Args:
            logs: Dict of loss and metrics by name.
        """
        return self._monitored(logs, "cannot tell whether to stop")
