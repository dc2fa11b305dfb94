"""What a run prints: a bar in a terminal or a notebook, lines elsewhere."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from fastrnn.callbacks.callback import HOOKS, Callback, Logs, overrides
from fastrnn.utils.progbar import line, open_bar, report, shows_bars

_REFRESH = 0.1  # seconds between two drawings of a bar


class ProgbarLogger(Callback):
    """Prints the progress of a run as `verbose` says; `fit`, `evaluate` and `predict` add one.

    With `verbose=1` or `"auto"` it draws a bar in a terminal or a notebook and prints lines
    elsewhere, with 2 it prints lines, with 0 nothing.

    Example:
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x, y, progress = np.ones((4, 2)), np.ones(4), callbacks.ProgbarLogger()
        >>> _ = model.fit(x, y, epochs=2, verbose=2, callbacks=[progress])  # doctest: +ELLIPSIS
        Epoch 1/2
        1/1 - 0s - ...s/step - loss: ...
        Epoch 2/2
        1/1 - 0s - ...s/step - loss: ...
    """

    first_rank_only: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._printer: ProgressLines | None = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Choose what prints; its hooks become the hooks of this object."""
        super().set_params(params)
        self._printer = None
        for hook in HOOKS:
            self.__dict__.pop(hook, None)
        verbose = params["verbose"]
        if verbose == 0:
            return
        printer = ProgressBar() if verbose in (1, "auto") and shows_bars() else ProgressLines()
        printer.set_params(params)
        self._printer = printer
        for hook in HOOKS:
            if overrides(printer, hook):
                setattr(self, hook, getattr(printer, hook))

    def close(self) -> None:
        """End the drawing of a run that an exception has ended."""
        if self._printer is not None:
            self._printer.close()


class ProgressLines(Callback):
    """Prints a line at the end of each epoch, evaluation or prediction."""

    def __init__(self) -> None:
        super().__init__()
        self._fitting = False
        self._started = 0.0
        self._stopped: float | None = None
        self._seen = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        """Note the run, whose validations are printed in the line of their epoch."""
        self._fitting = True

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Print which epoch begins, if there are several."""
        if self.params["epochs"] > 1:
            print(f"Epoch {epoch + 1}/{self.params['epochs']}", flush=True)
        self._start()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Print the results."""
        self._finish(logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Count the steps, whose number is not always known before."""
        self._seen = batch + 1

    def on_test_begin(self, logs: Logs = None) -> None:
        """Start the clock of an evaluation, or stop that of an epoch."""
        if self._fitting:
            self._stopped = time.perf_counter()
        else:
            self._start()

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Count the steps of an evaluation."""
        if not self._fitting:
            self._seen = batch + 1

    def on_test_end(self, logs: Logs = None) -> None:
        """Print the results of an evaluation."""
        if not self._fitting:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Start the clock of a prediction."""
        self._start()

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Count the steps of a prediction."""
        self._seen = batch + 1

    def on_predict_end(self, logs: Logs = None) -> None:
        """Print how long the prediction took."""
        self._finish(None)

    def close(self) -> None:
        """End the drawing of a run that an exception has ended."""

    def _start(self) -> None:
        self._started = time.perf_counter()
        self._stopped = None
        self._seen = 0

    def _steps(self) -> int:
        """Return the number of steps of a run that has ended."""
        return int(self.params["steps"] or self._seen)

    def _finish(self, logs: Logs) -> None:
        steps = self._steps()
        seconds = time.perf_counter() - self._started
        print(line(f"{steps}/{steps}", seconds, self._report(steps, logs)), flush=True)

    def _report(self, steps: int, logs: Logs) -> str:
        """Return the time per step and the logs."""
        stopped = time.perf_counter() if self._stopped is None else self._stopped
        return report((stopped - self._started) / max(steps, 1), "step", logs or {})


class ProgressBar(ProgressLines):
    """Draws a bar of steps with time per step, loss and metrics."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None
        self._drawn = 0.0

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Move the bar."""
        self._move(batch + 1, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Move the bar of an evaluation."""
        if not self._fitting:
            self._move(batch + 1, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Move the bar of a prediction."""
        super().on_predict_batch_end(batch)
        self._move(batch + 1, None)

    def close(self) -> None:
        """Close the bar and leave it on the screen."""
        if self._bar is not None:
            self._bar.close()

    def _start(self) -> None:
        super()._start()
        self._drawn = self._started
        self._bar = open_bar(self.params["steps"])

    def _move(self, steps: int, logs: Logs) -> None:
        now = time.perf_counter()
        if now - self._drawn < _REFRESH:
            return
        self._drawn = now
        self._bar.n = steps
        self._bar.set_postfix_str(self._report(steps, logs))

    def _finish(self, logs: Logs) -> None:
        self._bar.n = self._bar.total = steps = self._steps()
        self._bar.set_postfix_str(self._report(steps, logs))
        self._bar.close()
