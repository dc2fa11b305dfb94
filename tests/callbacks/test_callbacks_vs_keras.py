"""The same logs lead the callbacks of fastrnn and of Keras to the same decisions."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import callbacks
from support.scripted_callbacks import run

NAN = float("nan")
LOSSES = [
    [3.0, 2.0, 2.0, 1.5, 1.6, 1.7, 1.4, 1.4, 1.4, 1.4],
    [1.0, NAN, 0.9, 0.9 - 1e-9, 0.9 - 1e-4, 0.7, NAN, 0.8, 0.2, 0.3],  # 1e-9 is lost in float32
    [NAN, NAN, NAN, NAN, NAN],
    [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2],
    [1.0, 0.8, 0.65, 0.55, 0.5, 0.48, 0.47, 0.468, 0.467],
]


def script(values: list[float]) -> list[dict[str, float]]:
    return [{"accuracy": -value, "loss": value + 1, "val_loss": value} for value in values]


def both(keras: ModuleType, name: str, *args: Any, **kwargs: Any) -> list[Any]:
    """How to make the callback on both sides, fastrnn's first."""
    return [
        lambda module=module: getattr(module, name)(*args, **kwargs)
        for module in (callbacks, keras.callbacks)
    ]


def assert_equal(ours: Any, theirs: Any) -> None:
    assert ours.asked == theirs.asked
    assert ours.stopped == theirs.stopped
    assert ours.rates == theirs.rates
    assert [list(logs) for logs in ours.logs] == [list(logs) for logs in theirs.logs]
    for name in ("wait", "stopped_epoch", "best", "best_epoch", "cooldown_counter"):
        got, wanted = (getattr(side.callback, name, None) for side in (ours, theirs))
        assert got == wanted or math.isnan(got), name


EARLY = [
    {},
    {"patience": 2},
    {"patience": 3, "restore_best_weights": True},
    {"patience": 2, "min_delta": 0.1, "restore_best_weights": True},
    {"patience": 2, "min_delta": -0.1, "start_from_epoch": 3},
    {"patience": 2, "baseline": 1.45, "restore_best_weights": True},
    {"patience": 1, "mode": "max", "restore_best_weights": True, "start_from_epoch": 1},
    {"patience": 2, "monitor": "accuracy", "mode": "max", "baseline": -0.9, "min_delta": 0.05},
    {"patience": 1, "monitor": "loss"},
]


@pytest.mark.parametrize("arguments", EARLY, ids=str)
def test_early_stopping(keras: ModuleType, arguments: dict[str, Any]) -> None:
    for values in LOSSES:
        ours, theirs = both(keras, "EarlyStopping", **arguments)
        # The second training shows that the first is forgotten.
        assert_equal(
            run(ours, script(values), trainings=2), run(theirs, script(values), trainings=2)
        )


PLATEAU = [
    {"patience": 1},
    {"patience": 2, "factor": 0.5, "cooldown": 2},
    {"patience": 1, "factor": 0.5, "min_lr": 0.03},
    {"patience": 1, "min_delta": 0.1, "factor": 0.7, "cooldown": 1},
    {"patience": 0, "mode": "max", "monitor": "accuracy", "factor": 0.9},
    {"patience": 1, "min_lr": 0.1},
]


@pytest.mark.parametrize("arguments", PLATEAU, ids=str)
def test_reduce_lr_on_plateau(keras: ModuleType, arguments: dict[str, Any]) -> None:
    for values in LOSSES:
        ours, theirs = both(keras, "ReduceLROnPlateau", **arguments)
        assert_equal(
            run(ours, script(values), trainings=2), run(theirs, script(values), trainings=2)
        )


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch, rate: rate * 0.9 if epoch > 1 else rate,
        lambda epoch: 0.5**epoch,
        lambda epoch, rate: np.float32(rate / (1 + epoch)),
        lambda epoch, rate=0.25: np.float64(rate / 2),
    ],
)
def test_learning_rate_scheduler(keras: ModuleType, schedule: Any) -> None:
    ours, theirs = (
        run(each, script(LOSSES[0])) for each in both(keras, "LearningRateScheduler", schedule)
    )
    assert_equal(ours, theirs)
    assert [logs["learning_rate"] for logs in ours.logs] == ours.rates
    assert len(set(ours.rates)) > 3


CHECKPOINT = [
    {"filepath": "{epoch:02d}-{val_loss:.2f}-{accuracy:.3f}.keras"},
    {"filepath": "best.h5", "save_best_only": True},
    {"filepath": "best.{epoch}.keras", "save_best_only": True, "initial_value_threshold": 0.85},
    {
        "filepath": "b{epoch}.weights.h5",
        "save_weights_only": True,
        "save_best_only": True,
        "monitor": "accuracy",
        "mode": "max",
    },
    {"filepath": "{epoch}-{batch:03d}-{loss:.1f}.keras", "save_freq": 3},
    {"filepath": "{epoch}.weights.h5", "save_weights_only": True, "save_freq": 5},
    {"filepath": "{epoch}-{batch}.keras", "save_freq": 1},
]


@pytest.mark.parametrize("arguments", CHECKPOINT, ids=lambda each: each["filepath"])
def test_model_checkpoint(keras: ModuleType, arguments: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "new" / "folders" / arguments["filepath"]
    batches = [{"loss": 2.0 - k / 8} for k in range(4)]
    for values in LOSSES:
        ours, theirs = both(keras, "ModelCheckpoint", **{**arguments, "filepath": path})
        # What it counts goes on from training to training, and so does its best number.
        got, wanted = (run(each, script(values), batches, trainings=2) for each in (ours, theirs))
        assert_equal(got, wanted)
    assert path.parent.is_dir()


def test_model_checkpoint_by_batches_knows_which_is_best() -> None:
    # Keras finds out whether less is better at the end of the first epoch, and fails before it.
    batches = [{"loss": loss} for loss in (2.0, 3.0, 1.0, 1.5)]
    made = run(
        lambda: callbacks.ModelCheckpoint(
            "{batch}.keras", "loss", save_best_only=True, save_freq=1
        ),
        script([0.0]),
        batches,
    )
    assert [entry[1] for entry in made.asked] == ["1.keras", "3.keras"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("append", [False, True])
def test_csv_logger(keras: ModuleType, tmp_path: Path, separator: str, append: bool) -> None:
    scripts = {
        "validation from the start": [{"loss": 0.1 + 0.2, "val_loss": 1e-9}, {"loss": NAN, "x": 1}],
        "validation later": [{"loss": 1, "accuracy": 2.5}, {"loss": 1 / 3, "val_loss": 3.0}],
        "other values": [{"a": np.array([0.1, 2], "float32"), "b": 'say "x", y', "c": np.array(3)}],
        "nothing": [{}, {"loss": 1.0}],
    }
    for name, epochs in scripts.items():
        written = []
        for k, module in enumerate((callbacks, keras.callbacks)):
            path = tmp_path / f"{name} {k}"
            for _ in range(2):  # two objects, each used twice
                run(lambda m=module, p=path: m.CSVLogger(p, separator, append), epochs, trainings=2)
            written.append(path.read_bytes())
        assert written[0] == written[1], name
        assert len(written[0].splitlines()) == 1 + len(epochs) * (4 if append else 1)


def test_terminate_on_nan(keras: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    for last in (1.0, NAN, math.inf, -math.inf):
        batches = [{"loss": 1.0}, {}, {"loss": last}]
        ours, theirs = (run(each, [{}], batches) for each in both(keras, "TerminateOnNaN"))
        assert ours.stopped == theirs.stopped == (not math.isfinite(last))
        printed = capsys.readouterr().out.splitlines()
        assert len(printed) == (0 if math.isfinite(last) else 2)
        assert all(line.startswith("Batch 2: ") for line in printed)
        for each in both(keras, "TerminateOnNaN", raise_error=True):
            if not math.isfinite(last):
                with pytest.raises(RuntimeError, match="batch 2"):
                    run(each, [{}], batches)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("EarlyStopping", {}),
        ("ReduceLROnPlateau", {}),
        ("ModelCheckpoint", {"filepath": "x.keras", "save_best_only": True}),
    ],
)
def test_a_number_that_is_not_there(
    keras: ModuleType, name: str, arguments: dict[str, Any]
) -> None:
    results = []
    for each in both(keras, name, **arguments):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            results.append(run(each, [{"loss": 1.0}, {"loss": 2.0}]))
        assert len(caught) == 2
        assert all(entry.category is UserWarning for entry in caught)
        assert "val_loss" in str(caught[0].message)
    assert_equal(*results)


def test_verbose_says_when(keras: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        ("EarlyStopping", {"patience": 1, "restore_best_weights": True}),
        ("ReduceLROnPlateau", {"patience": 1}),
        ("LearningRateScheduler", {"schedule": lambda epoch: 0.5}),
        ("ModelCheckpoint", {"filepath": "{epoch}.keras", "save_best_only": True}),
        ("ModelCheckpoint", {"filepath": "{epoch}.keras"}),
    ]
    for name, arguments in cases:
        epochs = []
        for each in both(keras, name, **arguments, verbose=1):
            run(each, script(LOSSES[0]))
            lines = [line for line in capsys.readouterr().out.splitlines() if "Epoch" in line]
            # Keras says "finished" in another line.
            epochs.append([line.split(":")[0] for line in lines if "finished" not in line])
        assert epochs[0] == epochs[1] != [], name


BAD = [
    ("ReduceLROnPlateau", {"factor": 1.0}),
    ("ModelCheckpoint", {"filepath": "x"}),
    ("ModelCheckpoint", {"save_weights_only": True, "filepath": "x.h5"}),
    ("ModelCheckpoint", {"filepath": "x.keras", "save_freq": "batch"}),
]


@pytest.mark.parametrize(("name", "arguments"), BAD)
def test_bad_arguments(keras: ModuleType, name: str, arguments: dict[str, Any]) -> None:
    for each in both(keras, name, **arguments):
        with pytest.raises(ValueError, match=str(list(arguments.values())[-1])):
            each()


def test_what_a_run_refuses(keras: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "folder.keras").mkdir()
    cases: list[tuple[str, dict[str, Any], type[Exception]]] = [
        ("LearningRateScheduler", {"schedule": lambda epoch: 1}, ValueError),
        ("LearningRateScheduler", {"schedule": lambda epoch, rate: "x"}, ValueError),
        ("ModelCheckpoint", {"filepath": "{mape}.keras"}, KeyError),
        ("ModelCheckpoint", {"filepath": "{batch}.keras"}, KeyError),
        ("EarlyStopping", {"monitor": "val_something"}, ValueError),
        ("ReduceLROnPlateau", {"monitor": "something"}, ValueError),
        ("ModelCheckpoint", {"filepath": "x.keras", "monitor": "something"}, ValueError),
    ]
    for name, arguments, error in cases:
        for each in both(keras, name, **arguments):
            with pytest.raises(error):
                run(each, script([1.0]))
    with pytest.raises(IsADirectoryError, match=r"folder\.keras"):
        run(lambda: callbacks.ModelCheckpoint(tmp_path / "folder.keras"), script([1.0]))


def test_an_unknown_mode_is_auto(keras: ModuleType) -> None:
    results = []
    for each in both(keras, "EarlyStopping", mode="smaller", patience=1):
        with pytest.warns(UserWarning, match="smaller"):
            results.append(run(each, script(LOSSES[0])))
    assert_equal(*results)
