"""Where a weights file of Keras keeps which variables of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from fastrnn.layers.layer import Layer
from fastrnn.layers.rnn import RNN
from fastrnn.naming import to_snake_case
from fastrnn.variable import Variable


class Part(NamedTuple):
    """A group of a weights file: a layer, or a cell in it.

    Attributes:
        path: Its group; the variables are in the group `vars` there.
        name: Name of the layer or cell.
        variables: Its own variables, without those of the layers inside, in their order.
    """

    path: str
    name: str
    variables: list[Variable]


def class_of(layer: Layer) -> str:
    """Return the name of a layer's class."""
    return type(layer).__name__


def parts_of(
    layer: Layer, path: str = "", class_name: Callable[[Layer], str] = class_of
) -> Iterator[Part]:
    """Return the parts of a layer or model.

    A group is named after its role: `layers/lstm_1` is the second LSTM of a model, not a layer of
    that name; `forward_layer` is an attribute of a Bidirectional; `cell` is the cell of a recurrent
    layer.

    Args:
        layer: The layer or model.
        path: Its group, empty for the file's root.
        class_name: Function that tells the class of a layer; needed where a file had another.
    """
    prefix = f"{path}/" if path else ""
    inside = layer._sublayers()
    own = {id(variable): variable for variable in layer.weights}
    for sublayer in inside:
        for variable in sublayer.weights:
            own.pop(id(variable), None)
    variables = list(own.values())
    if isinstance(layer, RNN):
        yield Part(path, layer.name, [])
        yield Part(f"{prefix}cell", f"{to_snake_case(class_of(layer))}_cell", variables)
    else:
        yield Part(path, layer.name, variables)
    if hasattr(layer, "layers"):
        used: Counter[str] = Counter()
        for sublayer in inside:
            name = to_snake_case(class_name(sublayer))
            number = f"_{used[name]}" if used[name] else ""
            used[name] += 1
            yield from parts_of(sublayer, f"{prefix}layers/{name}{number}", class_name)
        return
    for sublayer in inside:
        attribute = next(key for key, value in vars(layer).items() if value is sublayer)
        yield from parts_of(sublayer, f"{prefix}{attribute}", class_name)
