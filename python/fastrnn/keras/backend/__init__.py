"""The kernels as operations of the framework on which Keras runs."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import keras

BACKENDS = ("tensorflow", "torch", "jax")


def load() -> Any:
    """Return the module of Keras's backend.

    Raises:
        ImportError: If Keras runs on another one.
    """
    name = keras.backend.backend()
    if name not in BACKENDS:
        raise ImportError(
            "fastrnn.keras needs Keras on TensorFlow, PyTorch or JAX; set KERAS_BACKEND before "
            f"Keras is imported. Received: backend '{name}'"
        )
    return importlib.import_module(f"fastrnn.keras.backend.{name}")


def called_by(*packages: str) -> bool:
    """Return whether a module of one of these packages waits for this call.

    Args:
        *packages: Names of packages or modules.
    """
    frame = sys._getframe(1)
    while (above := frame.f_back) is not None:
        frame = above
        if f"{frame.f_globals.get('__name__', '')}.".startswith(tuple(f"{p}." for p in packages)):
            return True
    return False
