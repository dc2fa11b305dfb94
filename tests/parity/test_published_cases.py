"""The recurrent cases of $FASTRNN_CASES through fastrnn.layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from support.published_cases import call_layers, make_layers


def test_published_case(published_case: dict[str, Any], cases: Any, isa: str) -> None:
    from fastrnn import layers as ours

    layers = make_layers(published_case, ours)
    outputs = 2 if published_case.get("merge_mode", "concat") is None else 1
    got: list[np.ndarray] = []
    for step in published_case["steps"]:
        if step["op"] == "call":
            got = call_layers(layers, step, outputs)
        else:
            for layer, _ in layers:
                layer.reset_states()
    cases.check(published_case, got)
