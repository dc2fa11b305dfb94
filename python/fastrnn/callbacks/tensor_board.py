"""Curves of the training for TensorBoard."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fastrnn.arguments import is_integer
from fastrnn.callbacks.callback import Callback, Logs


class TensorBoard(Callback):
    """Writes loss, metrics and learning rate as event files, which TensorBoard draws.

    The curves have Keras's names: `epoch_loss` and `epoch_learning_rate` in the folder `train`,
    `epoch_loss` of the validation and `evaluation_loss_vs_iterations` in `validation`, and
    `batch_loss` with `update_freq`. A metric with several numbers has one curve for each:
    `epoch_f1_score/0`, and so on.

    Args:
        log_dir: Folder of the files.
        histogram_freq: Number of epochs between histograms of the weights; 0 for none.
        write_graph: Without effect: there is no graph of TensorFlow.
        write_images: Without effect.
        write_steps_per_second: Whether to write the speed, in steps per second.
        update_freq: "epoch" to write after epochs alone, "batch" for every step too, or the number
            of steps between two points.
        profile_batch: Without effect.
        embeddings_freq: Without effect.
        embeddings_metadata: Without effect.

    Raises:
        ValueError: If `update_freq` or `histogram_freq` is not one of these.

    Example:
        >>> from fastrnn import callbacks
        >>> board = callbacks.TensorBoard("logs", update_freq=10)  # doctest: +SKIP
        >>> model.fit(x, y, epochs=3, callbacks=[board])  # doctest: +SKIP
    """

    state_names: ClassVar[tuple[str, ...]] = ("_steps",)
    first_rank_only: ClassVar[bool] = True

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: int | str | Sequence[int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        if not is_integer(histogram_freq) or histogram_freq < 0:
            raise ValueError(
                "`histogram_freq` must be an integer >= 0. "
                f"Received: histogram_freq={histogram_freq!r}"
            )
        steps = 1 if update_freq == "batch" else update_freq
        if steps != "epoch" and not (is_integer(steps) and int(steps) > 0):
            raise ValueError(
                '`update_freq` must be "batch", "epoch" or a positive integer. '
                f"Received: update_freq={update_freq!r}"
            )
        if embeddings_freq or profile_batch:
            warnings.warn(
                "`TensorBoard` writes no profiles and no projections of embeddings: "
                "`profile_batch` and `embeddings_freq` have no effect.",
                stacklevel=2,
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = steps
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._steps = 0
        self._steps_before = 0
        self._epoch_began = 0.0
        self._step_began = 0.0
        self._training = False
        self._writers: dict[str, Any] = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        """Count steps from 0."""
        self._close()
        self._steps = 0
        self._training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the files."""
        self._training = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the time."""
        self._steps_before, self._epoch_began = self._steps, time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Note the time."""
        self._step_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Write a point of each curve over the steps, if it is time."""
        self._steps += 1
        if self.update_freq == "epoch" or self._steps % int(self.update_freq):
            return
        values = dict(logs or {})
        if self.write_steps_per_second:
            values["steps_per_second"] = 1.0 / (time.perf_counter() - self._step_began)
        self._write("train", "batch_{}", values, self._steps)

    def on_test_end(self, logs: Logs = None) -> None:
        """Write the results over the number of updates."""
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None:
            step = int(optimizer.iterations)
            self._write("validation", "evaluation_{}_vs_iterations", logs or {}, step)
        if not self._training:
            self._close()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a point of each curve over the epochs, and histograms, if it is time."""
        logs = logs or {}
        train = {name: value for name, value in logs.items() if not name.startswith("val_")}
        test = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
        train["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._epoch_began
            train["steps_per_second"] = (self._steps - self._steps_before) / seconds
        self._write("train", "epoch_{}", train, epoch)
        self._write("validation", "epoch_{}", test, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for weight in self.model.weights:
                self._writer("train").add_histogram(f"{weight.path}/histogram", weight.value, epoch)
        for writer in self._writers.values():
            writer.flush()

    def _write(self, folder: str, tag: str, values: Mapping[str, Any], step: int) -> None:
        for name, value in values.items():
            numbers = np.asarray(value)
            for index, number in np.ndenumerate(numbers):
                place = "".join(f"/{each}" for each in index)
                self._writer(folder).add_scalar(tag.format(name) + place, float(number), step)

    def _writer(self, folder: str) -> Any:
        """Return the writer of a folder; it makes the folder when something is written."""
        if folder not in self._writers:
            from tensorboardX import SummaryWriter

            self._writers[folder] = SummaryWriter(os.path.join(self.log_dir, folder))
        return self._writers[folder]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
