"""Where a weights file of Keras keeps which variables of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

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
    if hasattr(layer, "layers"):
        used: Counter[str] = Counter()
        for sublayer in inside:
            name = to_snake_case(type(sublayer).__name__)
            number = f"_{used[name]}" if used[name] else ""
            used[name] += 1
            yield from parts_of(sublayer, f"{prefix}layers/{name}{number}", visited)
        return
    for sublayer, attribute in _attributes(layer, inside):
        yield from parts_of(sublayer, f"{prefix}{attribute}", visited)


def _attributes(layer: Layer, inside: Sequence[Layer]) -> Iterator[tuple[Layer, str]]:
    """Return layers with the attributes that they are; of a list or dict with numbered classes."""
    wanted = {id(each): each for each in inside}
    for key, value in vars(layer).items():
        if id(value) in wanted:
            yield wanted.pop(id(value)), key
            continue
        entries = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(entries, list | tuple):
            continue
        used: Counter[str] = Counter()
        for entry in entries:
            name = to_snake_case(type(entry).__name__)
            if id(entry) in wanted:
                number = f"_{used[name]}" if used[name] else ""
                yield wanted.pop(id(entry)), f"{key}/{name}{number}"
            used[name] += 1
