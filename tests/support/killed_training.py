"""A small training that may be killed at any moment, with or without a backup of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
from fastrnn import callbacks, layers
from fastrnn.models import Sequential

X = np.random.default_rng(1).integers(1, 9, (22, 5))
Y = np.random.default_rng(2).integers(0, 2, (22, 1)).astype("float32")
FILE = "latest.backup.npz"


class Dies(callbacks.Callback):
    """Stands for a kill after so many steps, or before the end of an epoch."""

    def __init__(self, after: float, in_epoch_end: int | None = None) -> None:
        super().__init__()
        self.after, self.in_epoch_end, self.steps = after, in_epoch_end, 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps += 1
        if self.steps >= self.after:
            raise KeyboardInterrupt

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self.in_epoch_end:
            raise KeyboardInterrupt


def words() -> list[layers.Layer]:
    return [
        layers.Embedding(9, 3, mask_zero=True),
        layers.Bidirectional(layers.LSTM(2, recurrent_dropout=0.2, return_sequences=True)),
        layers.SpatialDropout1D(0.3),
        layers.GRU(3, dropout=0.2),
        layers.Dropout(0.2),
        layers.Dense(1, activation="sigmoid"),
    ]


def fit(
    backup: Path | None,
    *others: Any,
    make: Callable[[], list[layers.Layer]] = words,
    optimizer: Any = "adam",
    compiled: list[Any] | Callable[[], list[Any]] | None = None,
    options: dict[str, Any] | None = None,
    x: Any = X,
    y: Any = Y,
    **arguments: Any,
) -> Any:
    """Train as a new process would; return weights, iterations, history, random numbers after."""
    if callable(validation := arguments.get("validation_data")):
        arguments["validation_data"] = validation()
    fastrnn.utils.set_random_seed(3)
    model = Sequential(make())
    made = optimizer() if callable(optimizer) else optimizer
    listed = compiled() if callable(compiled) else compiled or []
    model.compile(made, "binary_crossentropy", metrics=listed)
    data = {"x": x() if callable(x) else x} if y is None else {"x": x, "y": y, "batch_size": 4}
    own = [*others]
    if backup is not None:  # wherever it stands, it comes last
        own.insert(0, callbacks.BackupAndRestore(backup, **(options or {})))
    history = model.fit(**{**data, "epochs": 4, "verbose": 0, "callbacks": own, **arguments})
    after = fastrnn.random.make_seed(), random.random(), float(np.random.rand())  # noqa: NPY002
    return model.get_weights(), model.optimizer.iterations, history.epoch, history.history, after


def assert_same(got: Any, want: Any) -> None:
    for one, other in zip(got[0], want[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert got[1:3] == want[1:3]
    assert got[4] == want[4]
    assert list(got[3]) == list(want[3])
    for name, values in want[3].items():
        np.testing.assert_array_equal(got[3][name], values)


def assert_deaths_change_nothing(variant: dict[str, Any], tmp_path: Path) -> None:
    """Train without an end, and again and again killed, saving at several moments."""
    others = variant.pop("others", list)
    want = fit(None, *others(), **variant)
    for save_freq in ("epoch", 2, 5):
        folder = tmp_path / f"{save_freq}"
        options = {"save_freq": save_freq}
        deaths = 0
        while True:
            try:
                # Just more than a backup takes, so that every run gets on a little.
                dies = Dies(after=7 if save_freq == "epoch" else save_freq + 1)
                got = fit(folder, *others(), dies, options=options, **variant)
                break
            except KeyboardInterrupt:
                deaths += 1
                assert deaths < 50
        assert deaths >= 2
        assert_same(got, want)
        assert not folder.exists(), "deleted at the end"
