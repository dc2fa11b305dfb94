"""The results of each epoch as a table in a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import Any, ClassVar, TextIO

import numpy as np

from fastrnn.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Writes a line with the results of each epoch to a file.

    The first epoch names the columns: `epoch`, from 0, and the logs sorted by name, with a column
    `val_...` for each if there was no validation yet. Later epochs write NA for a missing
    number. Every line is on disk before the next epoch begins.

    Args:
        filename: The file.
        separator: Character between the columns.
        append: Whether to append to an existing file instead of overwriting it.

    Raises:
        ValueError: If `separator` is not one character.

    Example:
        >>> import os, tempfile
        >>> import numpy as np
        >>> from fastrnn import callbacks, layers, models
        >>> model = models.Sequential([layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "log.csv")
        ...     log = callbacks.CSVLogger(path, separator=";")
        ...     _ = model.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0, callbacks=[log])
        ...     with open(path) as file:
        ...         print(file.readline().strip(), len(file.readlines()))
        epoch;loss;val_loss 2
    """

    first_rank_only: ClassVar[bool] = True

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        super().__init__()
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(
                f"`separator` must be one character. Received: separator={separator!r}"
            )
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self.append_header = True
        self.csv_file: TextIO | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the file."""
        self._close()
        if self.append and os.path.exists(self.filename):
            self.append_header = os.path.getsize(self.filename) == 0
        # It stays open between epochs and is closed at the end of the training.
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115
        self.keys = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a line, after the names of the columns if it is the first."""
        logs = logs or {}
        assert self.csv_file is not None
        writer = csv.writer(self.csv_file, delimiter=self.sep)
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            if self.append_header:
                writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])
        self.csv_file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the file."""
        self._close()

    def _close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
            self.csv_file = None


def _cell(value: Any) -> Any:
    """Return several numbers as one string."""
    single = isinstance(value, np.ndarray) and value.ndim == 0
    if single or isinstance(value, str) or not isinstance(value, Iterable):
        return value
    return f'"[{", ".join(map(str, value))}]"'
