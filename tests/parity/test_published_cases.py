"""The recurrent cases of $FASTRNN_CASES through fastrnn.layers."""

from __future__ import annotations

from typing import Any

import published_cases
import pytest

CLASSES = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
LATER = {"mask", "stateful", "bidirectional", "TimeDistributed"}


def build_layer(spec: dict[str, Any], input_shape: tuple[int, ...]) -> Any:
    from fastrnn import layers

    names = ["units", "activation", "use_bias", "return_sequences", "return_state", "go_backwards"]
    if spec["cell"] != "simple_rnn":
        names.append("recurrent_activation")
    if spec["cell"] == "gru":
        names.append("reset_after")
    config = {name: spec[name] for name in names if name in spec}
    layer = getattr(layers, CLASSES[spec["cell"]])(**config)
    layer.build(input_shape)
    weights = (spec[name] for name in ("kernel", "recurrent_kernel", "bias"))
    layer.set_weights([weight for weight in weights if weight is not None])
    return layer


def test_published_case(published_case: dict[str, Any], cases: Any, isa: str) -> None:
    missing = published_cases.features(published_case) & LATER
    if missing:
        pytest.skip(f"not supported yet: {', '.join(sorted(missing))}")
    (step,) = published_case["steps"]
    y, states, initial = step["x"], [], step["initial_state"]
    for spec in published_case["layers"]:
        results = build_layer(spec, y.shape)(y, initial_state=initial)
        if spec["return_state"]:
            y, *more = results
            states += more
        else:
            y = results
        initial = None  # only the first layer of a stack is given one
    cases.check(published_case, [y, *states])
