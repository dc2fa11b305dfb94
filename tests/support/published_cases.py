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

CLASSES = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU", "dense": "Dense"}
OPTIONS = {
    "dense": ("units", "activation", "use_bias"),
    "simple_rnn": (
        "units",
        "activation",
        "use_bias",
        "return_sequences",
        "return_state",
        "go_backwards",
        "stateful",
        "unroll",
        "zero_output_for_mask",
    ),
}
OPTIONS["lstm"] = (*OPTIONS["simple_rnn"], "recurrent_activation")
OPTIONS["gru"] = (*OPTIONS["lstm"], "reset_after")
WEIGHTS = ("kernel", "recurrent_kernel", "bias")

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


def _make_layer(spec: dict[str, Any], layers: Any) -> Any:
    cell = spec["cell"]
    return getattr(layers, CLASSES[cell])(**{name: spec[name] for name in OPTIONS[cell]})


def make_layers(case: dict[str, Any], layers: Any) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The layers of a case from first to last, each with the dicts of its weights.

    Their classes come from `layers`, fastrnn's module or Keras's.
    """
    specs = case["layers"]
    made = [_make_layer(spec, layers) for spec in specs]
    if case["kind"] == "bidirectional":
        forward, backward = made
        both = layers.Bidirectional(forward, case["merge_mode"], backward_layer=backward)
        return [(both, specs)]
    if case["kind"] == "time_distributed_dense":
        made = [layers.TimeDistributed(layer) for layer in made]
    return [(layer, [spec]) for layer, spec in zip(made, specs, strict=True)]


def call_layers(
    layers: list[tuple[Any, list[dict[str, Any]]]], step: dict[str, Any], outputs: int
) -> list[Any]:
    """One after another: the outputs of the last, then the states of all."""
    y, states = [step["x"]], []
    arguments = {name: step[name] for name in ("initial_state", "mask") if step[name] is not None}
    for layer, specs in layers:
        if not layer.built:
            layer.build(y[0].shape)
            weights = [spec[name] for spec in specs for name in WEIGHTS]
            layer.set_weights([weight for weight in weights if weight is not None])
        results = layer(y[0], **arguments)
        y = list(results) if isinstance(results, tuple) else [results]
        y, more = y[:outputs], y[outputs:]
        states += more
        # Only the first layer of a stack is given states; the mask holds for all.
        arguments.pop("initial_state", None)
    return [*y, *states]
