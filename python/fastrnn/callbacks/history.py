"""The record of a training."""

from __future__ import annotations

from fastrnn.callbacks.callback import Callback, Logs


class History(Callback):
    """What `fit` returns: loss and metrics of each epoch.

    Attributes:
        history: For each name (`loss`, `accuracy`, `val_loss`, ...) a list with one number per
            epoch.
        epoch: The epochs' numbers, from 0.
        params: `verbose`, `epochs` and `steps` of the run.
    """

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
