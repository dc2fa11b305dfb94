"""The recurrent cases of $FASTRNN_CASES/cases.py as parameters; that file documents the dict."""

from __future__ import annotations

import functools
import importlib.util
import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

UNSET = "$FASTRNN_CASES is not set: no published cases"


@functools.cache
def load_module() -> ModuleType | None:
    """cases.py as a module, None if the variable is not set."""
    folder = os.environ.get("FASTRNN_CASES")
    if not folder:
        return None
    spec = importlib.util.spec_from_file_location(
        "fastrnn_published_cases", Path(folder, "cases.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parameters() -> list[Any]:
    """One parameter a case; a single skipped one without the variable."""
    module = load_module()
    if module is None:
        return [pytest.param(None, marks=pytest.mark.skip(reason=UNSET), id="unset")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its files to the collector
        loaded = module.load()
    return [pytest.param(case, id=case["id"].replace(" ", "/")) for case in loaded]


def features(case: dict[str, Any]) -> set[str]:
    """What the case needs beyond a plain forward pass of one layer or a stack."""
    calls = [step for step in case["steps"] if step["op"] == "call"]
    needs = {
        "mask": any(call["mask"] is not None for call in calls),
        "initial_state": any(call["initial_state"] is not None for call in calls),
        "bidirectional": case["kind"] == "bidirectional",
        "TimeDistributed": case["kind"] == "time_distributed_dense",
    }
    for flag in ("stateful", "go_backwards", "return_state"):
        needs[flag] = any(layer.get(flag) for layer in case["layers"])
    return {name for name, needed in needs.items() if needed}
