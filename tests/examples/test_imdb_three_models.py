"""The example runs from its command line, here on generated reviews."""

from __future__ import annotations

from collections.abc import Callable


def test_trains_three_models_and_compares_them(run_example: Callable[..., str]) -> None:
    printed = run_example("imdb_three_models", "--samples", "200", "--epochs", "2", "--seed", "5")
    assert "200 training reviews, 200 test reviews, seed 5" in printed
    rows = [line.split() for line in printed.splitlines()[-3:]]
    assert [row[:2] for row in rows] == [
        ["SimpleRNN", "324,201"],
        ["LSTM", "336,651"],
        ["GRU", "332,651"],
    ]
    assert all(0.0 <= float(row[-1]) <= 1.0 for row in rows)
