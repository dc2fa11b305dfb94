"""Backups of a training, from which it is resumed after an interruption."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path
from typing import Any, ClassVar

from fastrnn import parallel
from fastrnn.arguments import positive_integer
from fastrnn.callbacks.callback import Callback, Logs

_FILE = "latest.backup.npz"
_PREVIOUS = "previous.backup.npz"


class BackupAndRestore(Callback):
    """Keeps the state of a training in a file, from which an interrupted `fit` is resumed.

    Run the same program again after a kill or a loss of power: `fit` continues at the last backup,
    also in the middle of an epoch, and ends with the same weights and the same history, bit for
    bit, as a training without interruption. The file holds the weights, the optimizer's state, the
    position in the data, the random states of fastrnn, Python and NumPy, and what `get_state` of
    each metric, layer and callback returns: for a metric all that it has gathered, for a callback
    (such as the history) the attributes in its `state_names`. A new backup replaces the old one in
    one step. The file holds no pickle. If the state of a part cannot be kept, an error names the
    part before the training begins.

    The data must be the same, in the same batches. A generator is read again up to the position.
    An object that yields batches and changes their order from epoch to epoch needs methods
    `get_state` and `set_state`, if the order comes from more than the random states above and
    generators of NumPy among its attributes. A callback that writes a file of its own must continue
    that file itself.

    Args:
        backup_dir: Folder of the backup, for one training only. It is created if missing.
        save_freq: `"epoch"`, or the number of batches between backups, counted across epochs.
        double_checkpoint: Whether to keep the previous backup too, and to use it with a warning if
            the latest one is damaged.
        delete_checkpoint: Whether to delete the backup at the end of `fit`.

    Raises:
        ValueError: If `backup_dir` is empty or `save_freq` is not valid; in `fit`, if the backup is
            damaged or belongs to another model; the model is then not changed.
        TypeError: In `fit`, if a metric, callback or layer has a state that cannot be kept.
        OSError: In `fit`, if the backup cannot be read or written.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> class Fails(callbacks.Callback):
        ...     def on_epoch_begin(self, epoch, logs=None):
        ...         if epoch == 4:
        ...             raise RuntimeError("no power")
        >>> def fit(folder, *others):
        ...     model = models.Sequential([layers.Dense(1)])
        ...     model.compile("sgd", "mse")
        ...     backup = callbacks.BackupAndRestore(folder)
        ...     x, y = np.ones((4, 2)), np.ones(4)
        ...     return model.fit(x, y, epochs=6, verbose=0, callbacks=[backup, *others])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     try:
        ...         fit(f"{folder}/backup", Fails())
        ...     except RuntimeError:
        ...         pass
        ...     fit(f"{folder}/backup").epoch
        [0, 1, 2, 3, 4, 5]
    """

    runs_last: ClassVar[bool] = True  # a backup includes what the others do in an epoch

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(backup_dir, (str, os.PathLike)) or not os.fspath(backup_dir):
            raise ValueError(f"`backup_dir` must be a folder. Received: backup_dir={backup_dir!r}")
        if save_freq != "epoch":
            if isinstance(save_freq, str):
                raise ValueError(
                    "`save_freq` must be 'epoch' or a number of batches. "
                    f"Received: save_freq={save_freq!r}"
                )
            save_freq = positive_integer("save_freq", save_freq)
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._batches = 0  # since the last backup
        self._unwritten: bytes | None = None  # the backup of a training that is being stopped
        self._latest = Path(self.backup_dir, _FILE)
        self._previous = Path(self.backup_dir, _PREVIOUS)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Restore the last backup, if there is one."""
        from fastrnn.files.errors import InvalidFileError, error_context
        from fastrnn.files.state_file import state_bytes

        self._batches, self._unwritten = 0, None
        state_bytes(self.model._run.get_state())  # refuse what cannot be kept before any training
        if (found := parallel.on_first(self._read)) is not None:
            path, state = found
            with error_context(str(path), "the backup"):
                if not isinstance(state, dict):
                    raise InvalidFileError.at(str(path), "", "it must hold a dict")
                self.model._run.set_state(state)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Save, if `save_freq` batches have passed."""
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches == self.save_freq:
            self._batches = 0
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save, if `save_freq` is `"epoch"`."""
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Logs = None) -> None:
        """Delete the backup, or write the one of a training that was stopped."""
        if not parallel.is_first():
            return
        if self.delete_checkpoint:
            self._delete()
        elif self._unwritten is not None:
            self._write(self._unwritten)
        self._unwritten = None

    def _save(self) -> None:
        from fastrnn.files.state_file import state_bytes

        if not parallel.is_first():
            return
        data = state_bytes(self.model._run.get_state())
        # A backup does not record `stop_training`. If the process is killed before it has stopped,
        # the next one repeats this epoch from the previous backup and stops for the same reason.
        if self.model.stop_training:
            self._unwritten = data
        else:
            self._write(data)

    def _write(self, data: bytes) -> None:
        from fastrnn.files.atomic import replace_file

        self._latest.parent.mkdir(parents=True, exist_ok=True)
        self._delete_unfinished()
        if self.double_checkpoint and self._latest.exists():
            self._latest.replace(self._previous)
        replace_file(self._latest, data)

    def _read(self) -> tuple[Path, Any] | None:
        """Return the latest backup that is not damaged, and its path."""
        from fastrnn.files.errors import InvalidFileError
        from fastrnn.files.state_file import read_state

        if self._latest.exists():
            try:
                return self._latest, read_state(self._latest)
            except (OSError, InvalidFileError) as error:
                if not self._previous.exists():
                    raise
                warnings.warn(f"The previous backup is used. {error}", stacklevel=2)
        if self._previous.exists():
            return self._previous, read_state(self._previous)
        return None

    def _delete(self) -> None:
        for path in (self._latest, self._previous):
            path.unlink(missing_ok=True)
        self._delete_unfinished()
        with contextlib.suppress(OSError):  # somebody has put other files there
            self._latest.parent.rmdir()

    def _delete_unfinished(self) -> None:
        """Delete the incomplete files of processes that were killed while writing."""
        for path in self._latest.parent.glob(f".{_FILE}.*.tmp"):
            path.unlink(missing_ok=True)
