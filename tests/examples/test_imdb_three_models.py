"""The example runs from its command line, here on generated reviews."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "imdb_three_models.py"


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A folder with an archive in the format of the Keras data set."""
    generator = np.random.default_rng(1)

    def reviews() -> np.ndarray:
        array = np.empty(250, dtype=object)
        array[:] = [
            generator.integers(1, 20_000, length).tolist()
            for length in generator.integers(5, 300, 250)
        ]
        return array

    np.savez(
        tmp_path / "imdb.npz",
        x_train=reviews(),
        y_train=generator.integers(0, 2, 250),
        x_test=reviews(),
        y_test=generator.integers(0, 2, 250),
    )
    return tmp_path


def test_trains_three_models_and_compares_them(data_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--samples", "200", "--epochs", "2", "--seed", "5"],
        env={**os.environ, "FASTRNN_DATA": str(data_folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "200 training reviews, 200 test reviews, seed 5" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()[-3:]]
    assert [row[:2] for row in rows] == [
        ["SimpleRNN", "324,201"],
        ["LSTM", "336,651"],
        ["GRU", "332,651"],
    ]
    assert all(0.0 <= float(row[-1]) <= 1.0 for row in rows)
