"""Stops a training whose loss is not finite."""

from __future__ import annotations

import math

from fastrnn.callbacks.callback import Callback, Logs, say


class TerminateOnNaN(Callback):
    """Stops a training when its loss is NaN or infinite.

    Args:
        raise_error: Whether to raise an error at once, so that no callback's `on_train_end` runs,
            instead of ending the training after the batch.

    Raises:
        RuntimeError: In `fit`, if the loss is not finite and `raise_error` is set.

    Example:
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> model = models.Sequential([layers.Dense(1, kernel_initializer="ones")])
        >>> model.compile("sgd", "mse")
        >>> x, y, stop = np.full((4, 2), np.inf), np.ones(4), callbacks.TerminateOnNaN()
        >>> len(model.fit(x, y, epochs=9, verbose=0, callbacks=[stop]).epoch)
        Batch 0: the loss is inf, training ends.
        1
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss is {loss} in batch {batch}.")
        say(f"Batch {batch}: the loss is {loss}, training ends.")
        self.model.stop_training = True
