"""Where a weights file of Keras keeps which variables of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from fastrnn.layers.layer import Layer
from fastrnn.naming import to_snake_case
from fastrnn.variable import Variable


class Part(NamedTuple):
    """A group of a weights file: a layer or a cell.

    Attributes:
        path: Its group; the variables are in the group `vars` there.
        name: Name of the layer or cell.
        variables: Its own variables, without those of the layers inside, in their order.
        layer: The layer or cell.
    """

    path: str
    name: str
    variables: list[Variable]
    layer: Layer


def parts_of(layer: Layer, path: str = "", visited: set[int] | None = None) -> Iterator[Part]:
    """Return the parts of a layer or model.

    Groups are called after what they are to the part around them: `layers/lstm_1` is the second
    LSTM of a model, whatever its name; `forward_layer` an attribute of a Bidirectional; `cell` the
    cell of a recurrent layer, and `cell/cells/lstm_cell_1` the second LSTMCell of a stack. A layer
    that stands in several places is a part of the first.

    Args:
        layer: The layer or model.
        path: Its group, empty for the file's root.
        visited: The ids of the layers that are parts already.
    """
    visited = set() if visited is None else visited
    if id(layer) in visited:
        return
    visited.add(id(layer))
    prefix = f"{path}/" if path else ""
    inside = layer._sublayers()
    own = {id(variable): variable for variable in layer.weights}
    for sublayer in inside:
        for variable in sublayer.weights:
            own.pop(id(variable), None)
    variables = list(own.values())
    yield Part(path, layer.name, variables, layer)
    if not layer.is_free:
        used: Counter[str] = Counter()
        for sublayer in inside:
            name = to_snake_case(type(sublayer).__name__)
            number = f"_{used[name]}" if used[name] else ""
            used[name] += 1
            yield from parts_of(sublayer, f"{prefix}layers/{name}{number}", visited)
        return
    wanted = {id(each) for each in inside}
    places = dict(vars(layer))
    if hasattr(layer, "layers"):  # of a model; Keras finds it in its turn among the attributes
        places["layers"] = list(layer.layers)
    for key in sorted(places, key=_private_last):
        for sublayer, place in _layers_at(places[key], key):
            if id(sublayer) in wanted:
                yield from parts_of(sublayer, f"{prefix}{place}", visited)


def _private_last(name: str) -> str:
    """Return the key by which Keras sorts attributes: a layer in two of them is at the first."""
    return f"~{name}" if name.startswith("_") else name


def _layers_at(value: Any, place: str) -> Iterator[tuple[Layer, str]]:
    """Yield the layers that an attribute holds, and their places; in lists by numbered classes."""
    if isinstance(value, Layer):
        yield value, place
        return
    entries = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(entries, list | tuple):
        return
    used: Counter[str] = Counter()
    for entry in entries:
        nested = isinstance(entry, list | dict | tuple)
        if not (nested or isinstance(entry, Layer)):
            continue
        name = "container" if nested else to_snake_case(type(entry).__name__)
        number = f"_{used[name]}" if used[name] else ""
        used[name] += 1
        yield from _layers_at(entry, f"{place}/{name}{number}")
