"""Saves a model while it is trained."""

from __future__ import annotations

import os
from typing import ClassVar

import numpy as np

from fastrnn.arguments import positive_integer
from fastrnn.callbacks.callback import Logs
from fastrnn.callbacks.monitor_callback import MonitorCallback


class ModelCheckpoint(MonitorCallback):
    """Saves the model after each epoch or every few batches, always or when it is better.

    The file name may contain fields, which are filled in by `str.format`: `epoch`, from 1, the
    names of the logs, and `batch`, from 1, if `save_freq` is a number. An existing file is
    replaced once the new one is complete.

    Args:
        filepath: The file, such as `"run/{epoch:02d}-{val_loss:.2f}.keras"`. It must end in
            `.keras` or `.h5`, for weights alone in `.weights.h5`. Missing folders are created.
        monitor: Name of the number in the logs that tells which model is better.
        verbose: 1 to print what is saved.
        save_best_only: Whether to save only when the number is better than all before.
        save_weights_only: Whether to save the weights without the model.
        mode: `"min"`, `"max"`, or `"auto"` for what suits the metric of that name.
        save_freq: `"epoch"`, or the number of batches between savings, counted across epochs.
        initial_value_threshold: With `save_best_only`, the number that the first one must beat.

    Raises:
        ValueError: If the extension of the name or `save_freq` is not one of the above.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "{epoch:02d}.weights.h5")
        ...     save = callbacks.ModelCheckpoint(path, save_weights_only=True)
        ...     _ = model.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0, callbacks=[save])
        ...     sorted(os.listdir(folder))
        ['01.weights.h5', '02.weights.h5']
    """

    state_names: ClassVar[tuple[str, ...]] = ("best", "_batches")
    first_rank_only: ClassVar[bool] = True

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        ends = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(ends):
            raise ValueError(
                f"`filepath` must end in {' or '.join(ends)} with "
                f"save_weights_only={save_weights_only}. Received: filepath={self.filepath!r}"
            )
        if save_freq != "epoch":
            if isinstance(save_freq, str):
                raise ValueError(
                    "`save_freq` must be 'epoch' or a number of batches. "
                    f"Received: save_freq={save_freq!r}"
                )
            save_freq = positive_integer("save_freq", save_freq)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._epoch = 0
        self._batches = 0  # since the last saving by `save_freq`

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Remember the epoch for the batches."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save, if `save_freq` is `"epoch"`."""
        if self.monitor_op is None:
            self._set_monitor_op()
        if self.save_freq == "epoch":
            self._save(epoch, self._path(epoch, None, logs), logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save, if `save_freq` batches have passed."""
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches == self.save_freq:
            self._batches = 0
            self._save(self._epoch, self._path(self._epoch, batch, logs), logs)

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        fields = dict(logs or {})
        if batch is not None:
            fields.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(epoch=epoch + 1, **fields)
        except KeyError as error:
            raise KeyError(
                f"`filepath` has a field {error} that is not one of "
                f"{['epoch', *fields]}. Received: filepath={self.filepath!r}"
            ) from error

    def _save(self, epoch: int, path: str, logs: Logs) -> None:
        said = f"\nEpoch {epoch + 1}: "
        if self.save_best_only:
            current = self._monitored(logs, "saves every time")
            if current is not None:
                best = "none" if self.best is None else f"{self.best:.5f}"
                if not self._is_improvement(current, self.best):
                    self._say(f"{said}{self.monitor} is {current:.5f}, no better than {best}")
                    return
                said += f"{self.monitor} went from {best} to {current:.5f}, "
                self.best = float(np.asarray(current))
        self._say(f"{said}saving to {path}")
        if os.path.isdir(path):
            raise IsADirectoryError(
                f"`filepath` must name a file, but a folder has that name. Received: {path}"
            )
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _say(self, text: str) -> None:
        if self.verbose > 0:
            print(text, flush=True)
