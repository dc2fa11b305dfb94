"""Random expressions of `fastrnn.ops`: values and gradients are those of Keras on JAX."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def test_random_expressions_are_those_of_keras_on_jax() -> None:
    """Runs in a process of its own, since one process has one backend of Keras."""
    for name in ("jax", "keras"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [sys.executable, HERE / "random_expressions.py"],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "expressions agree" in done.stdout
