"""The cases of $FASTRNN_CASES as parameters.

Those of recurrent layers come from its cases.py, which documents their dict; the other numbers, of
Dense, Embedding, losses and so on, from its extra_cases.json.
"""

from __future__ import annotations

import functools
import importlib.util
import json
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
    """One parameter a recurrent case; a single skipped one without the variable."""
    module = load_module()
    if module is None:
        return _unset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its files to the collector
        return _named(module.load())


def other_parameters() -> list[Any]:
    """The same for the numbers of everything else."""
    folder = os.environ.get("FASTRNN_CASES")
    if not folder:
        return _unset()
    return _named(json.loads(Path(folder, "extra_cases.json").read_text())["cases"])


def _unset() -> list[Any]:
    return [pytest.param(None, marks=pytest.mark.skip(reason=UNSET), id="unset")]


def _named(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["id"].replace(" ", "/")) for case in cases]
