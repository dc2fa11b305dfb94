"""docs/support.md says what fastrnn takes of Keras, and nothing of Keras is missing unnoticed."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import fastrnn
import numpy as np
import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"
if str(TOOLS) not in sys.path:
    sys.path.insert(0, str(TOOLS))

import support_facts  # noqa: E402
import support_table  # noqa: E402
from generated_text import END, between_markers  # noqa: E402
from support_facts import Fact  # noqa: E402
from support_table import UNLISTED, Entry  # noqa: E402

# Values for arguments without a default, and what an argument that is not supported might get.
NEEDED: dict[str, Any] = {
    "scale": 0.5,
    "units": 2,
    "input_dim": 3,
    "output_dim": 2,
    "rate": 0.5,
    "stddev": 0.5,
    "n": 2,
    "dims": (2, 1),
    "target_shape": (2,),
    "activation": "tanh",
    "filepath": "best.weights.h5",
    "filename": "log.csv",
    "backup_dir": "backup",
    "schedule": lambda epoch, learning_rate: learning_rate,
    "function": abs,
    "layer": fastrnn.layers.Dense(2),
    "cell": fastrnn.layers.LSTMCell(2),
    "target": 2,
    "cells": [fastrnn.layers.LSTMCell(2)],
    "initial_learning_rate": 0.1,
    "decay_steps": 10,
    "first_decay_steps": 10,
    "decay_rate": 0.5,
    "boundaries": [1],
    "values": [0.1, 0.01],
    "recall": 0.5,
    "precision": 0.5,
    "specificity": 0.5,
    "sensitivity": 0.5,
    "fn": fastrnn.losses.hinge,
    "axes": 1,
    "filters": 2,
    "pool_size": 2,
    "kernel_size": 2,
    "num_heads": 2,
    "key_dim": 3,
}
SPECIAL = {
    "layers.Bidirectional": {"layer": fastrnn.layers.LSTM(2)},
    "callbacks.ModelCheckpoint": {"filepath": "best.keras"},
}
UNUSUAL = (True, False, 1, 2, 0.5, "l2", "sum", "tanh", [1.0], {"a": 1}, "2", "float16")
STEPS = ("compile", "fit", "evaluate", "predict", "summary")


@pytest.fixture(scope="module")
def found(keras: ModuleType) -> list[Entry]:
    return support_table.entries()


def test_the_docs_have_the_table_that_the_script_writes(found: list[Entry]) -> None:
    written = support_table.SUPPORT.read_text(encoding="utf-8")
    wanted = between_markers(written, support_table.BEGIN, support_table.table(found))
    assert written == wanted, "run `python tools/support_table.py`"


@pytest.mark.parametrize(
    ("begin", "table"),
    [
        (support_table.BEGIN_REFUSING, support_table.refusing_names),
        (support_table.BEGIN_PATHS, support_table.old_paths),
    ],
    ids=["names that refuse", "old import paths"],
)
def test_the_docs_have_the_tables_of_compatibility(begin: str, table: Callable[[], str]) -> None:
    written = support_table.SUPPORT.read_text(encoding="utf-8")
    assert written == between_markers(written, begin, table()), (
        "run `python tools/support_table.py`"
    )


def test_nothing_of_keras_is_missing_without_a_reason(found: list[Entry]) -> None:
    assert len(found) > 1000
    missing = [(each.subject, each.argument) for each in found if each.status == UNLISTED]
    assert not missing, "add them to fastrnn or, with the reason, to tools/support_facts.py"


def test_no_fact_is_out_of_date(found: list[Entry]) -> None:
    assert not [(each.subject, each.argument) for each in found if each.stale]
    used = [id(each.fact) for each in found]
    facts = (*support_facts.LEFT_OUT, *support_facts.ARGUMENTS)
    assert not [fact for fact in facts if id(fact) not in used]
    compared = {each.subject for each in found if not each.argument}
    assert compared >= support_facts.CALLED_LAYERS | support_facts.METHODS_OF


class Probe(NamedTuple):
    """How an argument was met: with an error for some value, with one that says `not supported`."""

    rejects: bool
    refuses: bool


def probe(function: Callable[..., Any], argument: str, /, **needed: Any) -> Probe:
    rejects = refuses = False
    for value in UNUSUAL:
        try:
            function(**{**needed, argument: value})
        except Exception as error:
            rejects = True
            refuses |= f"`{argument}`" in str(error) and "not supported" in str(error)
    return Probe(rejects, refuses)


def probes(found: list[Entry]) -> Iterator[tuple[Entry, Probe]]:
    """Every argument that a constructor of ours has in common with Keras's, and what it does."""
    for entry in found:
        namespace, _, name = entry.subject.rpartition(".")
        if namespace not in support_facts.NAMESPACES or not entry.argument:
            continue
        cls = getattr(importlib.import_module(f"fastrnn.{namespace}"), name)
        if entry.status == "left out" or not inspect.isclass(cls):
            continue
        parameters = inspect.signature(cls).parameters.values()
        needed = {
            each.name: SPECIAL.get(entry.subject, {}).get(each.name, NEEDED[each.name])
            for each in parameters
            if each.default is each.empty
            and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        }
        yield entry, probe(cls, entry.argument, **needed)


def test_what_constructors_refuse_is_listed(found: list[Entry]) -> None:
    probed = list(probes(found))
    assert len(probed) > 300
    assert not [
        (entry.subject, entry.argument, entry.status)
        for entry, met in probed
        if met.refuses != (entry.status == "refused")
        or (entry.status == "only" and not met.rejects)
    ]


def test_what_the_methods_of_models_refuse_is_listed(
    found: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    model = fastrnn.Sequential([fastrnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.build((None, 1))
    one = np.ones((1, 1), np.float32)
    probed, wrong = 0, []
    for entry in found:
        subject, _, method = entry.subject.rpartition(".")
        if subject != "models.Sequential" or method not in STEPS or not entry.argument:
            continue
        needed = {"x": one} if method in ("fit", "evaluate", "predict") else {}
        if method in ("fit", "evaluate"):
            needed["y"] = one
        met = probe(getattr(model, method), entry.argument, **needed)
        model.compile("sgd", "mse")
        if met.refuses != (entry.status == "refused"):
            wrong.append((method, entry.argument))
        probed += 1
    assert probed > 30
    assert not wrong


class Theirs:
    def __init__(self, units: int, kept: int = 0, new: int = 0, **kwargs: Any) -> None: ...

    def fit(self, x: Any) -> None: ...


class Ours:
    def __init__(self, units: int, kept: int = 0) -> None: ...


def test_the_comparison_sees_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def compared(*facts: Fact) -> dict[tuple[str, str], Entry]:
        monkeypatch.setattr(support_table, "ARGUMENTS", [fact for fact in facts if fact.arguments])
        monkeypatch.setattr(support_table, "LEFT_OUT", [f for f in facts if not f.arguments])
        monkeypatch.setattr(support_table, "METHODS_OF", {"layers.Cell"})
        keras, ours = (type("module", (), {"Cell": each}) for each in (Theirs, Ours))
        listed = support_table._of_name("layers.Cell", keras, ours)
        return {(each.subject, each.argument): each for each in listed}

    found = compared()
    assert found["layers.Cell", "kept"].status == "supported"
    assert found["layers.Cell", "new"].status == UNLISTED
    assert found["layers.Cell.fit", ""].status == UNLISTED
    found = compared(
        Fact("left out", "layers.*", "new kept", "reason"),
        Fact("left out", "layers.Cell.f*", "", "reason"),
    )
    assert found["layers.Cell", "new"].status == "left out"
    assert not found["layers.Cell", "new"].stale
    assert found["layers.Cell", "kept"].stale
    assert found["layers.Cell.fit", ""].status == "left out"
    found = compared(Fact("left out", "layers.Cell", "", "reason"))
    assert found["layers.Cell", ""].stale
    found = compared(Fact("without effect", "layers.Cell", "new", "reason"))
    assert found["layers.Cell", "new"].stale


def test_only_what_stands_between_the_markers_changes() -> None:
    text = f"before\n{support_table.BEGIN}\n\nold\n\n{END}\nafter\n"
    assert between_markers(text, support_table.BEGIN, "new") == text.replace("old", "new")
    with pytest.raises(ValueError, match="must hold the two lines"):
        between_markers("no markers", support_table.BEGIN, "new")


def test_namespaces_are_attributes_of_the_package() -> None:
    for namespace in support_facts.NAMESPACES:
        assert hasattr(fastrnn, namespace.partition(".")[0]), namespace
