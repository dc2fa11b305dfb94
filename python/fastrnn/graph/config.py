"""Graphs as plain values, in the form of Keras 3, and back; also from the form of Keras 2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fastrnn.graph.graph import Graph, Place
from fastrnn.graph.operation_config import (
    constant_of,
    is_operation,
    operation_entry,
    plain_constant,
    repeat_operation,
)
from fastrnn.layers.layer import Layer
from fastrnn.layers.operation import Operation
from fastrnn.layers.serialization import deserialize_all, serialize
from fastrnn.symbolic import KerasTensor, flatten, map_structure

# Operations of which Keras 3 makes the masks that layers pass on; here masks need none.
_MASK_OPERATIONS = frozenset(
    [
        "Any",
        "BroadcastTo",
        "Cast",
        "Concatenate",
        "ExpandDims",
        "LogicalOr",
        "NotEqual",
        "OnesLike",
        "Repeat",
        "Squeeze",
        "Stack",
        "Where",
        "ZerosLike",
    ]
)
# Those of them whose result depends on the shape of a tensor alone.
_OF_SHAPES = frozenset(["OnesLike", "ZerosLike"])


def graph_config(graph: Graph) -> dict[str, Any]:
    """Return the layers of a graph, their calls, and which tensors are its inputs and outputs."""
    places = graph.places()
    calls: dict[int, list[dict[str, Any]]] = {}
    for node in graph.nodes_as_made():
        if not node.is_input and not isinstance(node.layer, Operation):
            args, kwargs = _plain(node.arguments, places)
            calls.setdefault(id(node.layer), []).append({"args": args, "kwargs": kwargs})

    def end(tensor: KerasTensor) -> list[Any]:
        place = places[id(tensor)]
        return [place.layer, place.call + tensor.node.layer.first_call_number, place.output]

    def entry(layer: Layer) -> dict[str, Any]:
        if isinstance(layer, Operation):
            nodes = graph.nodes_of(layer)
            return operation_entry(layer, nodes, lambda value: _plain(value, places))
        own = calls.get(id(layer), [])
        return {**serialize(layer), "name": layer.name, "inbound_nodes": own}

    return {
        "layers": [entry(layer) for layer in graph.members],
        "input_layers": map_structure(end, graph.input_structure),
        "output_layers": map_structure(end, graph.output_structure),
    }


def _plain(value: Any, places: Mapping[int, Place]) -> Any:
    """Return the arguments of a call with references in place of tensors."""
    if isinstance(value, KerasTensor):
        config = {
            "shape": list(value.shape),
            "dtype": value.dtype,
            "keras_history": list(places[id(value)]),
        }
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, (list, tuple)):
        return [_plain(each, places) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each, places) for key, each in value.items()}
    return plain_constant(value)


def graph_from_config(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """Make the layers of a config, with new weights, and repeat their calls.

    Args:
        config: Dict with `layers`, `input_layers` and `output_layers`, as `graph_config` returns
            it; Keras's of versions 1 to 3 work too.

    Returns:
        The symbolic inputs and outputs, in their structures.

    Raises:
        ValueError: If a layer or operation is not supported, or a call has no inputs.
    """
    entries = {_name(entry): entry for entry in config["layers"]}
    values = _value_operations(entries, config["output_layers"])
    operations = {
        name
        for name, entry in entries.items()
        if name not in values and (is_operation(entry) or _is_mask_operation(entry))
    }
    try:
        _check_masks(entries, operations)
    except ValueError:  # masks that are computed like any other value
        values |= dict.fromkeys(sorted(name for name in operations if is_operation(entries[name])))
        operations -= set(values)
        _check_masks(entries, operations)
    apart = {*operations, *values}
    kept = [entry for name, entry in entries.items() if name not in apart]
    layers = dict(zip(map(_name, kept), deserialize_all(kept), strict=True))
    tensors: dict[Place, KerasTensor] = {}
    for name, layer in layers.items():
        if not entries[name].get("inbound_nodes"):
            tensors[Place(name, 0, 0)] = layer.output
    # Keras 2 numbers the calls of all models from 1, Keras 3 only where it names the model's ends.
    is_old = any(isinstance(call, list) for e in kept for call in e.get("inbound_nodes") or ())
    waiting = [
        (name, number, call)
        for name in values
        for number, call in enumerate(entries[name]["inbound_nodes"])
    ] + [
        (name, number, call)
        for name, layer in layers.items()
        for number, call in enumerate(
            entries[name].get("inbound_nodes") or (), int(is_old and layer.opened_graph is not None)
        )
    ]
    made: list[str] = []
    while waiting:
        left = [
            each
            for each in waiting
            if not _repeat(layers, entries, tensors, operations, made, *each)
        ]
        if len(left) == len(waiting):
            raise ValueError(
                f"the calls of the layers {sorted({name for name, *_ in left})} need outputs that "
                "no other call makes"
            )
        waiting = left

    def found(place: Sequence[Any]) -> KerasTensor:
        name, number, output = place
        first = layers[name].first_call_number if name in layers and not is_old else 0
        reference = Place(name, number - first, output)
        if reference not in tensors:
            raise ValueError(f"there is no output {output} of call {number} of layer '{name}'")
        return tensors[reference]

    return tuple(_ends(config[key], found) for key in ("input_layers", "output_layers"))


def _repeat(
    layers: Mapping[str, Layer],
    entries: Mapping[str, Any],
    tensors: dict[Place, KerasTensor],
    operations: set[str],
    made: list[str],
    name: str,
    number: int,
    call: Any,
) -> bool:
    """Call a layer as a config says; return whether all of its inputs were there.

    Args:
        layers: The layers by name.
        entries: The entries of layers and operations by name.
        tensors: The outputs so far; gets those of the call.
        operations: Names of the operations that make masks.
        made: The name of the layer of each call so far; gets this one's.
        name: Name of the layer.
        number: Number of the call.
        call: What the config says about it.
    """
    args, kwargs = _arguments(call)
    references = list(_references([args, kwargs]))
    if any(each not in tensors and each.layer not in operations for each in references):
        return False
    if name not in layers:
        given = [[_with_tensors(value, tensors) for value in args], _with_tensors(kwargs, tensors)]
        own = f"{name}_{number}" if number else name
        results = flatten(repeat_operation(entries[name], own, *given))
        tensors |= {Place(name, number, index): each for index, each in enumerate(results)}
        return True
    if number - made.count(name) > int(bool(layers[name].opened_graph)):
        return False  # the calls of a layer are made in their order
    kwargs = {key: value for key, value in kwargs.items() if not _is_made_by(value, operations)}
    layers[name](
        *[_with_tensors(value, tensors) for value in args],
        **{key: _with_tensors(value, tensors) for key, value in kwargs.items()},
    )
    node = layers[name]._inbound_nodes[-1]
    made.append(name)
    tensors |= {Place(name, number, each.index): each for each in node.outputs}
    return True


def _name(entry: Mapping[str, Any]) -> str:
    name: str = entry.get("name") or entry["config"]["name"]
    return name


def _arguments(call: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call, with a `Place` for each tensor among them."""
    if isinstance(call, Mapping):
        args, kwargs = call.get("args", []), call.get("kwargs", {})
        return [_referring(each) for each in args], {k: _referring(v) for k, v in kwargs.items()}
    # Keras 2: a list of [layer, call, output, kwargs], or only one of them.
    rows = [call] if isinstance(call[0], str) else call
    inputs = [Place(*row[:3]) for row in rows]
    kwargs = rows[0][3] if len(rows[0]) > 3 else {}
    return [inputs if len(inputs) > 1 else inputs[0]], {
        key: _referring_of_old(value) for key, value in kwargs.items()
    }


def _referring(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return Place(*value["config"]["keras_history"])
        if value.get("class_name") == "__tuple__":
            value = value["items"]
        else:
            value = constant_of(value)
            if not isinstance(value, Mapping):
                return value
            return {key: _referring(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_referring(each) for each in value]
    return value


def _referring_of_old(value: Any) -> Any:
    if isinstance(value, list):
        if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
            return Place(*value)
        return [_referring_of_old(each) for each in value]
    return value


def _references(value: Any) -> Iterator[Place]:
    if isinstance(value, Place):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _references(each)


def _with_tensors(value: Any, tensors: Mapping[Place, KerasTensor]) -> Any:
    if isinstance(value, Place):
        return tensors[value]
    if isinstance(value, Mapping):
        return {key: _with_tensors(each, tensors) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_tensors(each, tensors) for each in value]
    return value


def _ends(value: Any, found: Any) -> Any:
    """Return the tensors of `input_layers` or `output_layers` in their structure."""
    if isinstance(value, Mapping):
        return {key: _ends(each, found) for key, each in value.items()}
    if len(value) == 3 and isinstance(value[0], str):
        return found(value)
    ends = [_ends(each, found) for each in value]
    return tuple(ends) if isinstance(value, tuple) else ends


# -------------------------------------------------------------------------------------- masks


def _value_operations(
    entries: Mapping[str, Mapping[str, Any]], output_layers: Any
) -> dict[str, None]:
    """Return the names of the operations whose results are no masks of layers alone.

    They are inputs of layers or outputs of the model, or such operations depend on them.
    """
    found: dict[str, None] = {}
    ends: list[Place] = []
    _ends(output_layers, lambda place: ends.append(Place(*place)))
    waiting = ends
    for entry in entries.values():
        if not is_operation(entry):
            for call in entry.get("inbound_nodes") or ():
                args, kwargs = _arguments(call)
                kwargs = {key: value for key, value in kwargs.items() if key != "mask"}
                waiting += _references([args, kwargs])
    while waiting:
        name = waiting.pop().layer
        if name in entries and name not in found and is_operation(entries[name]):
            found[name] = None
            for call in entries[name].get("inbound_nodes") or ():
                waiting += _references(_arguments(call))
    return found


def _is_mask_operation(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is not a layer but an operation that may make a mask."""
    if entry.get("class_name") not in _MASK_OPERATIONS:
        return False
    return set(entry.get("config", {})) <= {"name", "axis", "keepdims", "dtype"} and (
        str(entry.get("module", "keras.src.ops")).startswith("keras.src.ops")
    )


def _is_made_by(value: Any, operations: set[str]) -> bool:
    references = list(_references(value))
    return bool(references) and all(each.layer in operations for each in references)


def _check_masks(entries: Mapping[str, Mapping[str, Any]], operations: set[str]) -> None:
    """Refuse operations unless they make the masks that layers here make by themselves.

    Keras 3 writes the mask of an Embedding or a Masking as operations: whether their input is not
    the value that stands for padding (in any feature), and what other layers make of that.
    """
    own: set[tuple[Place, float]] = set()
    for entry in entries.values():
        config = entry.get("config", {})
        is_masking = entry.get("class_name") == "Masking"
        if is_masking or config.get("mask_zero"):
            value = float(config.get("mask_value", 0.0)) if is_masking else 0.0
            for call in entry.get("inbound_nodes") or ():
                own.update((each, value) for each in _references(_arguments(call)))
    for name, entry in entries.items():
        for call in entry.get("inbound_nodes") or ():
            args, kwargs = _arguments(call)
            if name not in operations:
                _check_origin(name, args, kwargs, entries, operations)
                continue
            outside = [each for each in _references([args, kwargs]) if each.layer not in operations]
            constants = [each for each in args[1:] if isinstance(each, (int, float))]
            makes_one = entry["class_name"] == "NotEqual" and len(outside) == len(constants) == 1
            if entry["class_name"] in _OF_SHAPES:
                continue
            if outside and not (makes_one and (outside[0], float(constants[0])) in own):
                raise ValueError(
                    f"the operation '{name}' of class {entry['class_name']} must be that of the "
                    "mask of an Embedding or a Masking; other operations are not supported"
                )


def _check_origin(
    name: str,
    args: list[Any],
    kwargs: Mapping[str, Any],
    entries: Mapping[str, Mapping[str, Any]],
    operations: set[str],
) -> None:
    """Refuse a mask that cannot have come with the sequences, which is the mask that is used here.

    Args:
        name: Name of the layer that is called.
        args: Positional arguments of the call.
        kwargs: Its keyword arguments.
        entries: All layers and operations by name.
        operations: Names of the operations that make masks.
    """
    mask = [each for each in _references(kwargs.get("mask")) if each.layer in operations]
    if not mask:
        return
    others = {key: value for key, value in kwargs.items() if key != "mask"}
    below = set(_ancestors(_references([args, others]), entries))
    foreign = [
        each
        for each in _ancestors(mask, entries)
        if each.layer not in operations and each not in below
    ]
    if foreign:
        raise ValueError(
            f"layer '{name}' takes a mask that depends on '{foreign[0].layer}', which its other "
            "inputs do not depend on; only the mask that comes with the inputs is supported"
        )


def _ancestors(
    places: Iterable[Place], entries: Mapping[str, Mapping[str, Any]]
) -> Iterator[Place]:
    """Yield places and all that they depend on, as output 0 of the calls that make them."""
    seen: set[Place] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()._replace(output=0)
        if place in seen:
            continue
        seen.add(place)
        yield place
        entry = entries[place.layer]
        calls = entry.get("inbound_nodes") or ()
        # The calls of a model within a model are numbered in several ways: take all of them.
        if "layers" not in entry.get("config", {}) and place.call < len(calls):
            calls = calls[place.call : place.call + 1]
        for call in calls:
            waiting.extend(_references(_arguments(call)))
