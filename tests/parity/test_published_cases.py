"""The recurrent cases of $FASTRNN_CASES through fastrnn.layers."""

from __future__ import annotations

from typing import Any

import published_cases
import pytest

CLASSES = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
LATER = {"stateful", "TimeDistributed"}
OPTIONS = (
    "units",
    "activation",
    "use_bias",
    "return_sequences",
    "return_state",
    "go_backwards",
    "zero_output_for_mask",
)


def make_layer(spec: dict[str, Any]) -> Any:
    from fastrnn import layers

    names = [*OPTIONS, *([] if spec["cell"] == "simple_rnn" else ["recurrent_activation"])]
    if spec["cell"] == "gru":
        names.append("reset_after")
    config = {name: spec[name] for name in names if name in spec}
    return getattr(layers, CLASSES[spec["cell"]])(**config)


def make_layers(case: dict[str, Any]) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The layers of a case from first to last, each with the dicts of its weights."""
    from fastrnn import layers

    specs = case["layers"]
    if case["kind"] != "bidirectional":
        return [(make_layer(spec), [spec]) for spec in specs]
    forward, backward = (make_layer(spec) for spec in specs)
    both = layers.Bidirectional(forward, case["merge_mode"], backward_layer=backward)
    return [(both, specs)]


def test_published_case(published_case: dict[str, Any], cases: Any, isa: str) -> None:
    missing = published_cases.features(published_case) & LATER
    if missing:
        pytest.skip(f"not supported yet: {', '.join(sorted(missing))}")
    (step,) = published_case["steps"]
    y, states = [step["x"]], []
    arguments = {"initial_state": step["initial_state"], "mask": step["mask"]}
    for layer, specs in make_layers(published_case):
        layer.build(y[0].shape)
        weights = [spec[name] for spec in specs for name in ("kernel", "recurrent_kernel", "bias")]
        layer.set_weights([weight for weight in weights if weight is not None])
        results = layer(y[0], **arguments)
        y = list(results) if isinstance(results, tuple) else [results]
        count = 2 if published_case.get("merge_mode", "concat") is None else 1
        y, more = y[:count], y[count:]
        states += more
        # Only the first layer of a stack is given states; the mask holds for all.
        arguments["initial_state"] = None
    cases.check(published_case, [*y, *states])
