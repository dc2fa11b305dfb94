"""The tests of `fastrnn.keras` once more, with Keras on PyTorch and on JAX.

A process has one backend of Keras. This one's is TensorFlow.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TESTS = ("test_keras_layers.py", "test_keras_models.py")


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_on(backend: str) -> None:
    for name in (backend, "keras"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
        + [str(HERE / name) for name in TESTS],
        env={**os.environ, "FASTRNN_TEST_KERAS_BACKEND": backend},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
