"""The recurrent cases of $FASTRNN_CASES through fastrnn.layers."""

from __future__ import annotations

from typing import Any

import numpy as np

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


def make_layer(spec: dict[str, Any]) -> Any:
    from fastrnn import layers

    cell = spec["cell"]
    return getattr(layers, CLASSES[cell])(**{name: spec[name] for name in OPTIONS[cell]})


def make_layers(case: dict[str, Any]) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The layers of a case from first to last, each with the dicts of its weights."""
    from fastrnn import layers

    specs = case["layers"]
    made = [make_layer(spec) for spec in specs]
    if case["kind"] == "bidirectional":
        forward, backward = made
        both = layers.Bidirectional(forward, case["merge_mode"], backward_layer=backward)
        return [(both, specs)]
    if case["kind"] == "time_distributed_dense":
        made = [layers.TimeDistributed(layer) for layer in made]
    return [(layer, [spec]) for layer, spec in zip(made, specs, strict=True)]


def call(
    layers: list[tuple[Any, list[dict[str, Any]]]], step: dict[str, Any], outputs: int
) -> list[np.ndarray]:
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


def test_published_case(published_case: dict[str, Any], cases: Any, isa: str) -> None:
    layers = make_layers(published_case)
    outputs = 2 if published_case.get("merge_mode", "concat") is None else 1
    got: list[np.ndarray] = []
    for step in published_case["steps"]:
        if step["op"] == "call":
            got = call(layers, step, outputs)
        else:
            for layer, _ in layers:
                layer.reset_states()
    cases.check(published_case, got)
