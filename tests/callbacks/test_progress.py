"""What runs print: lines where the output is no terminal, a bar where it is one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import numpy as np
import pytest
from fastrnn import layers
from fastrnn.callbacks import CallbackList, ProgbarLogger
from fastrnn.models import Sequential

X, Y = np.arange(14.0).reshape(7, 2), np.arange(7.0)
TIME = r"\d+(us|ms|s)/step"


@pytest.fixture
def model() -> Sequential:
    model = Sequential([layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("verbose", ["auto", 1, 2])
def test_lines_of_fit(
    model: Sequential, capsys: pytest.CaptureFixture[str], verbose: int | str
) -> None:
    model.fit(X, Y, batch_size=3, epochs=2, validation_split=0.3, verbose=verbose)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0::2] == ["Epoch 1/2", "Epoch 2/2"]
    number = r"\d+\.\d{4}"
    names = rf"loss: {number} - mae: {number} - val_loss: {number} - val_mae: {number}"
    assert re.fullmatch(rf"2/2 - 0s - {TIME} - {names}", lines[1])
    assert lines[1] != lines[3]


def test_lines_of_evaluate_and_predict(
    model: Sequential, capsys: pytest.CaptureFixture[str]
) -> None:
    model.evaluate(X, Y, batch_size=3)
    assert re.fullmatch(
        rf"3/3 - 0s - {TIME} - loss: 13\.0000 - mae: 3\.0000\n", capsys.readouterr().out
    )
    model.predict(X)
    assert re.fullmatch(rf"1/1 - 0s - {TIME}\n", capsys.readouterr().out)
    model.fit(X, Y)
    assert "Epoch" not in capsys.readouterr().out, "there is only one"


def test_silence(model: Sequential, capsys: pytest.CaptureFixture[str]) -> None:
    model.fit(X, Y, validation_split=0.3, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_small_numbers_keep_their_digits(
    model: Sequential, capsys: pytest.CaptureFixture[str]
) -> None:
    model.evaluate(X, np.full(7, 1e-2))
    assert "loss: 1.0000e-04 - mae: 0.0100" in capsys.readouterr().out


def test_a_bar_in_a_terminal(
    model: Sequential, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    model.fit(X, Y, batch_size=3, epochs=2, validation_split=0.3)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 4
    assert "\r" in printed.out
    last = printed.out.rstrip("\n").rpartition("\r")[2]
    assert re.match(rf"2/2 \|.*\| 00:00, {TIME} - loss: ", last)
    assert "val_mae: " in last
    model.evaluate(X, Y, batch_size=3)
    assert re.search(rf"3/3 \|.*{TIME} - loss: .* - mae: ", capsys.readouterr().out)
    model.predict(X, batch_size=3)
    assert re.search(rf"3/3 \|.*{TIME}", capsys.readouterr().out)
    model.fit(X, Y, verbose=2)
    assert "|" not in capsys.readouterr().out


@pytest.mark.parametrize("terminal", [False, True])
def test_a_run_of_unknown_length(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    progress = ProgbarLogger()
    progress.set_params({"verbose": "auto", "epochs": 1, "steps": None})
    run = CallbackList(progress)
    run.on_train_begin()
    run.on_epoch_begin(0)
    for batch in range(4):
        run.on_train_batch_begin(batch)
        run.on_train_batch_end(batch, {"loss": 1.0})
    run.on_test_begin()
    run.on_test_batch_begin(0)
    run.on_test_end({"loss": 3.0})
    # A metric may have a number for each class; Keras shows their mean.
    run.on_epoch_end(0, {"loss": 2.0, "f1_score": np.array([0.5, 1.0])})
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.search(rf"4/4 .*{TIME} - f1_score: 0\.7500 - loss: 2\.0000$", last)


def test_a_given_one_is_the_only_one(model: Sequential, capsys: pytest.CaptureFixture[str]) -> None:
    mine = ProgbarLogger()
    model.fit(X, Y, verbose=2, callbacks=[mine])
    assert len(capsys.readouterr().out.splitlines()) == 1
    model.fit(X, Y, verbose=0, callbacks=[mine])
    assert capsys.readouterr().out == ""
    run = CallbackList(mine, verbose=0, epochs=2, steps=1)
    run.on_epoch_begin(0)
    assert capsys.readouterr().out == ""
    run.set_params({"verbose": 2, "epochs": 2, "steps": 1})
    run.on_epoch_begin(0)
    assert capsys.readouterr().out == "Epoch 1/2\n"


def test_the_bar_is_imported_only_where_it_is_drawn(
    run_python: Callable[..., CompletedProcess[str]],
) -> None:
    code = """
import sys, numpy as np
from fastrnn import layers, models
model = models.Sequential([layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((3, 2)), np.ones(3))
assert "tqdm" not in sys.modules
"""
    done = run_python(code)
    assert done.returncode == 0, done.stderr
