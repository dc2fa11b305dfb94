"""Keras on the backend under test."""

from __future__ import annotations

import os
import warnings
from types import ModuleType
from typing import Any

import pytest
from support.keras_fronts import BACKEND


@pytest.fixture(scope="session")
def front(request: pytest.FixtureRequest) -> ModuleType:
    """Keras, after `import fastrnn.keras`: on TensorFlow, or on the backend of a run of its own."""
    if BACKEND == "tensorflow":
        keras: ModuleType = request.getfixturevalue("keras")
    else:
        os.environ["KERAS_BACKEND"] = BACKEND
        os.environ["JAX_PLATFORMS"] = "cpu"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # theirs are not ours to mend
            pytest.importorskip(BACKEND, exc_type=ImportError)
            keras = pytest.importorskip("keras", exc_type=ImportError)
    assert keras.backend.backend() == BACKEND
    import fastrnn.keras  # noqa: F401

    return keras


@pytest.fixture
def in_graphs(front: ModuleType, request: pytest.FixtureRequest) -> None:
    """Keras as its users run it, also on TensorFlow, where the other tests run it eagerly."""
    if BACKEND == "tensorflow":
        request.getfixturevalue("keras_graphs")


@pytest.fixture
def kernel_calls(front: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cells of all calls of the forward kernel."""
    from fastrnn import kernels

    calls: list[str] = []
    forward = kernels.rnn_forward

    def spy(cell: str, *args: Any, **options: Any) -> Any:
        calls.append(cell)
        return forward(cell, *args, **options)

    monkeypatch.setattr(kernels, "rnn_forward", spy)
    return calls
