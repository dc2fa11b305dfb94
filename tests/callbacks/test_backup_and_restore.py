"""BackupAndRestore: a training that is killed and begun anew ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import callbacks, layers, metrics, optimizers
from fastrnn.models import Sequential
from fastrnn.utils import timeseries_dataset_from_array
from support.killed_training import (
    FILE,
    Dies,
    X,
    Y,
    assert_deaths_change_nothing,
    assert_same,
    fit,
    words,
)


def every_metric() -> list[Any]:
    return [
        "accuracy",
        metrics.AUC(num_thresholds=9, name="area"),
        metrics.AUC(num_thresholds=9, multi_label=True, name="per_label"),
        metrics.Precision(thresholds=[0.4, 0.5], name="share"),
        metrics.F1Score(threshold=0.5),
        metrics.R2Score(),
        metrics.PrecisionAtRecall(0.5, name="share_at"),
    ]


VARIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "arrays": lambda: {
        "optimizer": lambda: optimizers.Adam(use_ema=True, gradient_accumulation_steps=2),
        "compiled": every_metric(),
        "validation_split": 0.2,
    },
    "nadam, shuffled within batches": lambda: {"optimizer": "nadam", "shuffle": "batch"},
    "two epochs a pass": lambda: {"steps_per_epoch": 3, "epochs": 5},
    "epochs that are cut short": lambda: {"steps_per_epoch": 4, "epochs": 5},
    "sequences of differing lengths": lambda: {
        "x": [row[: 1 + i % 5].tolist() for i, row in enumerate(X)]
    },
    "a generator": lambda: {"x": endless, "y": None, "steps_per_epoch": 5},
    "a shuffled data set": lambda: {
        "x": windows,
        "y": None,
        "make": lambda: [layers.SimpleRNN(3, dropout=0.3), layers.Dense(1)],
        "validation_data": windows,
    },
    "stateful layers": lambda: {
        "make": lambda: [
            layers.Embedding(9, 3),
            layers.LSTM(3, stateful=True, dropout=0.2),
            layers.Dense(1, activation="sigmoid"),
        ],
        "x": X[:20],
        "y": Y[:20],
    },
    "callbacks with a memory": lambda: {
        "others": lambda: [
            callbacks.ReduceLROnPlateau("loss", 0.3, patience=1, min_delta=0.02),
            callbacks.EarlyStopping("loss", 0.02, patience=2, restore_best_weights=True),
        ],
        "epochs": 9,
    },
}


def endless() -> Iterator[Any]:
    while True:
        rows = np.random.permutation(len(X))[:4]  # noqa: NPY002
        yield X[rows], Y[rows]


def windows() -> Any:
    series = np.sin(np.arange(30.0))[:, np.newaxis]
    return timeseries_dataset_from_array(
        series, series[4:, 0] > 0, 4, batch_size=5, shuffle=True, seed=5
    )


@pytest.mark.filterwarnings("ignore:.*ran out of batches")
@pytest.mark.parametrize("name", VARIANTS)
def test_a_run_that_dies_again_and_again_ends_like_one_that_does_not(
    name: str, tmp_path: Path
) -> None:
    assert_deaths_change_nothing(VARIANTS[name](), tmp_path)


def test_a_death_before_the_end_of_an_epoch_or_of_the_run(tmp_path: Path) -> None:
    stop = {"monitor": "loss", "min_delta": 10.0, "patience": 1, "restore_best_weights": True}
    want = fit(None, callbacks.EarlyStopping(**stop))
    assert want[2] == [0, 1]
    with pytest.raises(KeyboardInterrupt):  # when the training is about to be stopped
        fit(tmp_path, callbacks.EarlyStopping(**stop), Dies(99, in_epoch_end=1))
    assert_same(fit(tmp_path, callbacks.EarlyStopping(**stop)), want)

    class DiesLast(callbacks.Callback):
        def on_train_end(self, logs: Any = None) -> None:
            raise KeyboardInterrupt

    for others in ([], [callbacks.EarlyStopping(**stop)]):
        folder = tmp_path / f"{len(others)}"
        with pytest.raises(KeyboardInterrupt):
            fit(folder, *others, DiesLast())
        others = [callbacks.EarlyStopping(**stop) for _ in others]
        assert_same(fit(folder, *others), fit(None, *others))


KILLED = """
import json, sys
from pathlib import Path
from support.killed_training import fit
folder, save_freq = sys.argv[1:]
save_freq = save_freq if save_freq == "epoch" else int(save_freq)
options = {"save_freq": save_freq, "double_checkpoint": save_freq == 3}
print("begun", flush=True)
got = fit(Path(folder), options=options, validation_split=0.2, epochs=60, compiled=["accuracy"])
print(json.dumps([[w.tolist() for w in got[0]], *got[1:]]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("save_freq", ["epoch", "3"])
def test_sigkill_at_any_moment(save_freq: str, tmp_path: Path) -> None:
    want = fit(None, validation_split=0.2, epochs=60, compiled=["accuracy"])
    paths = [Path(fastrnn.__file__).parents[1], Path(__file__).parents[1]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    moments = random.Random(save_freq)
    kills = 0
    for life in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path / "backup"), save_freq],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        if life < 3:
            time.sleep(moments.uniform(0.01, 0.15))
            process.kill()
        output, _ = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        kills += 1
    assert kills, "the run was quicker than the first kill"
    weights, *others = json.loads(output)
    weights = [np.float32(values) for values in weights]
    others[-1] = tuple(others[-1])
    assert_same((weights, *others), want)
    assert os.listdir(tmp_path) == []


def dead(folder: Path, **arguments: Any) -> bytes:
    """Leave a backup of a run that has died in its second epoch."""
    with pytest.raises(KeyboardInterrupt):
        fit(folder, Dies(9), **arguments)
    return (folder / FILE).read_bytes()


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "units": (
        {"make": lambda: [layers.Embedding(9, 3), layers.GRU(5), layers.Dense(1)]},
        "other layers",
    ),
    "optimizer": ({"optimizer": "sgd"}, "other slots of the optimizer"),
    "metrics": ({"compiled": ["accuracy"]}, "other metrics"),
    "generators": (
        {"make": lambda: [*words()[:4], layers.Dropout(0.0), *words()[5:]]},
        None,
    ),
    "learning rate": (
        {"optimizer": lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 2, 0.5))},
        "optimizer",
    ),
    "batches": ({"batch_size": 5, "options": {"save_freq": 2}}, "6 batches in an epoch"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_backup_of_another_training_is_refused(name: str, tmp_path: Path) -> None:
    arguments, message = OTHERS[name]
    before = dead(tmp_path, options=arguments.get("options", {}))
    if message is None:  # as many generators, so that it fits
        fit(tmp_path, **arguments)
        return
    with pytest.raises(ValueError, match=message) as caught:
        fit(tmp_path, **arguments)
    assert str(tmp_path / FILE) in str(caught.value)
    assert (tmp_path / FILE).read_bytes() == before


def test_the_model_of_a_refused_backup_stays_as_it_was(tmp_path: Path) -> None:
    dead(tmp_path)
    model = Sequential([layers.Embedding(9, 3), layers.GRU(5), layers.Dense(1)])
    model.compile("adam", "mse")
    model.build((None, 5))
    before = model.get_weights()
    with pytest.raises(ValueError, match="it is of another model"):
        model.fit(X, Y, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path)])
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.optimizer.iterations == 0


def test_a_damaged_backup_is_refused_by_name(tmp_path: Path) -> None:
    whole = dead(tmp_path)
    rng = np.random.default_rng(4)
    images = [b"", b"no archive", whole[: len(whole) // 2], whole[:-1]]
    for place in rng.integers(0, len(whole), 60).tolist():  # one wrong byte
        images.append(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
    refused = 0
    for image in images:
        (tmp_path / FILE).write_bytes(image)
        try:
            fit(tmp_path, options={"delete_checkpoint": False}, epochs=2)
        except ValueError as error:
            refused += str(tmp_path / FILE) in str(error)
    # A few bytes, such as times and alignment, mean nothing.
    assert refused >= 50


def test_the_backup_before_the_latest_takes_its_place(tmp_path: Path) -> None:
    options = {"save_freq": 2, "double_checkpoint": True}
    dead(tmp_path, options=options)
    assert sorted(os.listdir(tmp_path)) == [FILE, "previous.backup.npz"]
    want = fit(None)
    (tmp_path / FILE).write_bytes(b"half")
    with pytest.warns(UserWarning, match=f"previous backup is used.*{FILE}"):
        assert_same(fit(tmp_path, options=options), want)
    dead(tmp_path / "b", options=options)
    (tmp_path / "b" / FILE).unlink()  # killed between the two
    assert_same(fit(tmp_path / "b", options=options), want)


def test_a_kept_backup_is_where_more_epochs_begin(tmp_path: Path) -> None:
    want = fit(None, epochs=5)
    kept = {"options": {"delete_checkpoint": False}}
    fit(tmp_path, epochs=2, **kept)
    assert fit(tmp_path, epochs=2, **kept)[2] == [0, 1], "nothing is left to do"
    assert_same(fit(tmp_path, epochs=5, **kept), want)

    class Stops(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    for epochs in range(1, 6):  # a stop is the end of a run, not of the training
        got = fit(tmp_path / "b", Stops(), epochs=5, **kept)
        assert got[2] == list(range(epochs))
    assert_same(got, want)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_it_goes_on_where_keras_does(keras: Any, tmp_path: Path) -> None:
    """By the epoch; in its midst Keras cannot go on."""

    def run(library: Any, folder: Path, dies: Any, weights: Any = None) -> tuple[list[int], Any]:
        seen: list[int] = []

        class Watches(library.callbacks.Callback):  # type: ignore[name-defined, misc]
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                seen.append(epoch)

            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
                if (seen[-1], batch) == dies:
                    raise KeyboardInterrupt

        model = library.Sequential([library.layers.Input((5,)), library.layers.Dense(1)])
        model.compile(library.optimizers.Adam(0.1), "mse")
        if weights is not None:
            model.set_weights(weights)
        backup = library.callbacks.BackupAndRestore(folder)
        arguments = {"shuffle": False, "epochs": 4, "batch_size": 4, "verbose": 0}
        try:
            model.fit(X, Y, callbacks=[backup, Watches()], **arguments)
        except KeyboardInterrupt:
            assert os.listdir(folder)
        else:
            assert not folder.exists()
        return seen, model.get_weights()

    first = [np.linspace(-1, 1, 5).reshape(5, 1), np.zeros(1)]
    for dies in ((2, 0), (1, 3)):
        folders = [tmp_path / f"{name}{dies[0]}" for name in ("keras", "fastrnn")]
        results = []
        for library, folder in zip((keras, fastrnn), folders, strict=True):
            before, _ = run(library, folder, dies, first)
            after, weights = run(library, folder, None)
            results.append((before, after, weights))
        (*epochs, theirs), (*own_epochs, own) = results
        assert own_epochs == epochs == [list(range(dies[0] + 1)), list(range(dies[0], 4))]
        for one, other in zip(own, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_only_its_own_files_are_deleted(tmp_path: Path) -> None:
    dead(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / f".{FILE}.x1y2.tmp").write_bytes(b"left by a kill")
    (tmp_path / "a" / "b" / "notes").write_text("mine")
    fit(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == ["notes"]
    dead(tmp_path / "c")
    (tmp_path / "c" / f".{FILE}.x1y2.tmp").write_bytes(b"left by a kill")
    fit(tmp_path / "c", epochs=1)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("save_freq", ["batch", 0, -1, 1.5, True, None])
def test_arguments_are_checked(save_freq: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="save_freq"):
        callbacks.BackupAndRestore(tmp_path, save_freq)
    with pytest.raises(ValueError, match="backup_dir"):
        callbacks.BackupAndRestore("")
