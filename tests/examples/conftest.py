"""What the tests of the examples share: generated reviews, and how to run a script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """A folder with files in the format of the Keras data set."""
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
    words = {f"word{number}": number for number in range(1, 3_000)}
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(words))
    return tmp_path


@pytest.fixture
def run_example(data_folder: Path) -> Callable[..., str]:
    """Runs an example from its command line; returns what it prints."""

    def run(name: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments],
            env={**os.environ, "FASTRNN_DATA": str(data_folder), "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
