"""The record of a training."""

from __future__ import annotations

from typing import ClassVar

from fastrnn.callbacks.callback import Callback, Logs


class History(Callback):
    """What `fit` returns: loss and metrics of each epoch.

    Attributes:
        history: For each name (`loss`, `accuracy`, `val_loss`, ...) a list with one number per
            epoch.
        epoch: The epochs' numbers, from 0.
        params: `verbose`, `epochs` and `steps` of the run.

    Example:
        >>> import numpy as np
        >>> from fastrnn import layers, models
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((4, 2)), np.ones(4), epochs=3, verbose=0)
        >>> list(history.history), history.epoch
        (['loss'], [0, 1, 2])
    """

    state_names: ClassVar[tuple[str, ...]] = ("epoch", "history")

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start with no epochs."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Append the epoch's results."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self
