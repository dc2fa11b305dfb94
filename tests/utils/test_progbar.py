"""What `utils.Progbar` shows."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn.utils import Progbar

TIME = r"\d+(us|ms|s)"


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.rstrip("\n").rpartition("\n")[2].rpartition("\r")[2]


@pytest.mark.parametrize("terminal", [False, True], ids=["lines", "bar"])
def test_the_last_update_shows_what_it_is_given(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    progress = Progbar(5, unit_name="batch", interval=0)
    for step in range(1, 6):
        progress.update(step, [("loss", 10.0 * step), ("small", 1e-4), ("two", np.array([1, 2]))])
    between = r" \|.{20}\| 00:00, " if terminal else r" - 0s - "
    numbers = r"loss: 50\.0000 - small: 1\.0000e-04 - two: 1\.5000"
    assert re.fullmatch(rf"5/5{between}{TIME}/batch - {numbers}", last_line(capsys))


def test_a_bar_moves_and_averages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    progress = Progbar(100, interval=0, stateful_metrics=["rate"])
    progress.update(1, [("loss", 4.0), ("rate", 1.0)])
    progress.add(3, [("loss", 8.0), ("rate", 5.0)])
    shown = last_line(capsys)
    assert re.match(r"4/100 \|", shown)
    assert shown.endswith("loss: 7.0000 - rate: 5.0000")
    progress.update(100, finalize=True)
    assert last_line(capsys).startswith("100/100 |")
    slow = Progbar(100, interval=1e6)
    slow.update(50)
    assert capsys.readouterr().out == ""


def test_only_named_values_are_averaged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    progress = Progbar(None, interval=0, stateless_metrics=["loss"])
    progress.update(1, [("loss", 1.0), ("rate", 1.0)])
    progress.update(2, [("loss", 2.0), ("rate", 2.0)])
    assert last_line(capsys).endswith("loss: 1.5000 - rate: 2.0000")
    progress.update(2, finalize=True)


@pytest.mark.parametrize("terminal", [False, True], ids=["lines", "bar"])
def test_silence_and_lines(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    silent = Progbar(1, verbose=0)
    silent.update(1, [("loss", 1.0)])
    assert capsys.readouterr().out == ""
    lines = Progbar(None, verbose=2)
    lines.update(3, [("loss", 2.0)])
    assert capsys.readouterr().out == ""
    lines.update(4, [("loss", 2.5)], finalize=True)
    assert re.fullmatch(rf"4/4 - 0s - {TIME}/step - loss: 2\.5000", last_line(capsys))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": -1}, "`target` must be a number of steps or None. Received: -1"),
        (
            {"target": 2, "stateful_metrics": [], "stateless_metrics": []},
            "`stateful_metrics` and `stateless_metrics` must not be given both",
        ),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Progbar(**arguments)


def test_averages_are_those_of_keras(keras: ModuleType) -> None:
    updates: list[tuple[int, list[tuple[str, float]]]] = [
        (1, [("loss", 3.0), ("rate", 1.0)]),
        (4, [("loss", 5.0), ("rate", 2.0)]),
        (4, [("loss", 11.0)]),
        (9, [("rate", 7.0)]),
    ]
    for names in ({}, {"stateful_metrics": ["rate"]}, {"stateless_metrics": ["rate"]}):
        ours = Progbar(20, verbose=0, **names)  # type: ignore[arg-type]
        theirs = keras.utils.Progbar(20, verbose=0, **names)
        for current, values in updates:
            ours.update(current, values)
            theirs.update(current, values)
        assert {name: tuple(pair) for name, pair in theirs._values.items()} == ours._sums
