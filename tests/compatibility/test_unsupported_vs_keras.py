"""Every public name of Keras is here or refuses, and the tables hold nothing else."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType

import pytest
from fastrnn.compatibility.unsupported import UNSUPPORTED, WHY_NO_MODULE

NAMESPACES = (
    *UNSUPPORTED,
    *("models", "activations", "constraints", "regularizers", "optimizers.schedules", "datasets"),
)
NOT_WANTED = {"src", "legacy"}  # internals and files of older versions


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_every_name_of_keras_can_be_imported(keras: ModuleType, namespace: str) -> None:
    theirs = importlib.import_module(f"keras.{namespace}".rstrip("."))
    ours = importlib.import_module(f"fastrnn.{namespace}".rstrip("."))
    names = [name for name in dir(theirs) if not name.startswith("_")]
    assert names
    missing = {
        name
        for name in names
        if not hasattr(ours, name) and not inspect.ismodule(getattr(theirs, name))
    }
    assert missing == ({"deserialize"} if namespace == "activations" else set())
    modules = {name for name in names if inspect.ismodule(getattr(theirs, name))}
    assert {name for name in modules if not hasattr(ours, name)} <= NOT_WANTED


@pytest.mark.parametrize("namespace", UNSUPPORTED)
def test_every_listed_name_is_one_of_keras(keras: ModuleType, namespace: str) -> None:
    theirs = importlib.import_module(f"keras.{namespace}".rstrip("."))
    names = [name for names in UNSUPPORTED[namespace].values() for name in names.split()]
    assert [name for name in names if not hasattr(theirs, name)] == []


def test_every_listed_module_is_one_of_keras(keras: ModuleType) -> None:
    removed = {"estimator", "wrappers.scikit_learn"}
    missing = {
        module for module in WHY_NO_MODULE if importlib.util.find_spec(f"keras.{module}") is None
    }
    assert missing == removed
