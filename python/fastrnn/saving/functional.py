"""Functional models of Keras that are a chain, as configs of a Sequential model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

_HINT = "fastrnn takes functional models whose layers stand in one row, each called once"


class _Call(NamedTuple):
    """The call of a layer: outputs of which layers it got as data, and which as its mask."""

    inputs: list[str]
    masks: list[str]
    constants: list[Any]


def sequential_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of the Sequential model that computes what a functional model does.

    Args:
        config: Value of `config` in what Keras writes for a `Functional` (Keras 2: `Model`).

    Raises:
        ValueError: If the layers form no chain.
    """
    layers = {layer["name"]: layer for layer in config["layers"]}
    calls = {name: _call(layer) for name, layer in layers.items()}
    (output,) = _ends(config["output_layers"], "outputs")
    (start,) = _ends(config["input_layers"], "inputs")
    chain = [output]
    while calls[chain[0]].inputs:
        if len(calls[chain[0]].inputs) > 1 or len(chain) > len(layers):
            raise ValueError(f"{_HINT}. Received: layer '{chain[0]}' with several inputs")
        chain.insert(0, calls[chain[0]].inputs[0])
    if chain[0] != start:
        raise ValueError(f"{_HINT}. Received: a model that does not begin at '{start}'")
    masks = _check_masks(chain, layers, calls)
    for name in layers:
        if name not in chain and name not in masks:
            raise ValueError(f"{_HINT}. Received: layer '{name}' beside the row")
    kept: dict[str, Any] = {key: config[key] for key in ("name", "trainable") if key in config}
    return {**kept, "layers": [layers[name] for name in chain]}


def _ends(value: Any, what: str) -> list[str]:
    """Return the names in `input_layers` or `output_layers`, `[name, 0, 0]` or a list of such."""
    references = [value] if value and isinstance(value[0], str) else list(value)
    if len(references) != 1 or references[0][2] != 0:
        raise ValueError(f"{_HINT}, with one input and one output. Received: {what} {value}")
    return [references[0][0]]


def _call(layer: dict[str, Any]) -> _Call:
    nodes = layer.get("inbound_nodes", [])
    if len(nodes) > 1:
        raise ValueError(f"{_HINT}. Received: layer '{layer['name']}' called {len(nodes)} times")
    if not nodes:
        return _Call([], [], [])
    if isinstance(nodes[0], dict):
        args, kwargs = nodes[0].get("args", []), nodes[0].get("kwargs", {})
    else:  # Keras 2: a list of [name, node, tensor, kwargs], or only one of them
        rows = [nodes[0]] if isinstance(nodes[0][0], str) else nodes[0]
        args = [_old_tensor(row) for row in rows]
        kwargs = rows[0][3] if len(rows[0]) > 3 else {}
    for name, value in kwargs.items():
        if name not in ("mask", "training") and value is not None:
            raise ValueError(
                f"{_HINT}. Received: layer '{layer['name']}' called with `{name}`={value!r}"
            )
    constants = [value for value in args if not isinstance(value, (dict, list))]
    masks = list(_sources(kwargs.get("mask"), layer["name"]))
    return _Call(list(_sources(args, layer["name"])), masks, constants)


def _old_tensor(row: list[Any]) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": row[:3]}}


def _sources(value: Any, layer: str) -> Iterator[str]:
    """Yield the names of the layers whose outputs a nested argument holds."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        name, _, tensor = value["config"]["keras_history"]
        if tensor:
            raise ValueError(f"{_HINT}. Received: layer '{layer}' on output {tensor} of '{name}'")
        yield name
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _sources(inner, layer)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _sources(inner, layer)


def _check_masks(
    chain: list[str], layers: dict[str, dict[str, Any]], calls: dict[str, _Call]
) -> set[str]:
    """Return the operations that compute masks, if the layers of the chain make the same ones.

    Keras writes the mask of an Embedding or a Masking as operations of their own: whether their
    input is not the value that stands for padding (in any feature).
    """
    operations: set[str] = set()
    masking: list[tuple[str, float]] = []  # what the masking layers so far compare, and with what
    for name in chain:
        for mask in calls[name].masks:
            path = [mask]
            while path[-1] in layers and path[-1] not in chain and calls[path[-1]].inputs:
                path.append(calls[path[-1]].inputs[0])
            classes = [layers[step].get("class_name") for step in path[:-1]]
            compared = calls[path[-2]].constants if len(path) > 1 else []
            if classes not in (["NotEqual"], ["Any", "NotEqual"]) or not any(
                (path[-1], constant) in masking for constant in compared
            ):
                raise ValueError(
                    f"{_HINT}, and masks that come from an Embedding or a Masking in the row. "
                    f"Received: layer '{name}' with the mask '{mask}'"
                )
            operations.update(path[:-1])
        config = layers[name].get("config", {})
        if calls[name].inputs and layers[name].get("class_name") == "Masking":
            masking.append((calls[name].inputs[0], config.get("mask_value", 0.0)))
        elif calls[name].inputs and config.get("mask_zero"):
            masking.append((calls[name].inputs[0], 0))
    return operations
