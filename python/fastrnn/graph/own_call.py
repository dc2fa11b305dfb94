"""A model whose `call` a user wrote, as a graph of one layer, with which it trains as any model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from fastrnn.graph.graph import Graph
from fastrnn.layers.input_layer import Input
from fastrnn.layers.inputs import as_own_input
from fastrnn.layers.layer import Layer
from fastrnn.layers.own_layers import is_structure, probed
from fastrnn.naming import names_not_counted
from fastrnn.symbolic import KerasTensor, Node, flatten, map_structure, pack


class OwnCall(Layer):
    """The `call` of a model as a layer.

    Args:
        model: The model.
    """

    uses_mask = True

    def __init__(self, model: Any) -> None:
        super().__init__(name=model.name)
        self._model = model
        self.traced = model.traced
        self.supports_masking = model.supports_masking
        self.built = True

    def _sublayers(self) -> Sequence[Layer]:
        return [self._model]

    def as_input(self, inputs: Any, name: str = "inputs") -> Any:
        """Return integers as they are, and floats as float32."""
        return as_own_input(inputs, name)


def converted(inputs: Any, name: str) -> Any:
    """Return arrays in the structure in which they were given to a model.

    Args:
        inputs: Array, nested lists of numbers, or lists, tuples and dicts of arrays.
        name: What messages call them.

    Raises:
        TypeError, ValueError: If they hold no numbers, or differ in their number of samples.
    """
    if not is_structure(inputs):
        return as_own_input(inputs, name)
    arrays = map_structure(lambda each: as_own_input(each, name), inputs)
    shapes = [array.shape for array in flatten(arrays)]
    if len({shape[:1] for shape in shapes}) > 1:
        raise ValueError(
            f"The arrays of `{name}` must have the same number of samples. "
            f"Received: shapes {shapes}"
        )
    return arrays


def form_of(arrays: Any) -> str:
    """Return what a graph depends on: structure, types and numbers of dimensions.

    Args:
        arrays: Arrays in a structure.
    """
    return repr(map_structure(lambda each: f"{each.dtype} {each.ndim}", arrays))


def graph_of(model: Any, arrays: Any) -> Graph:
    """Return the graph of a model's `call` on such arrays; the layers that it calls are built.

    Args:
        model: The model.
        arrays: Arrays in a structure, of which the number of samples is left open.
    """
    shapes = [(None, *array.shape[1:]) for array in flatten(arrays)]
    model.build_own(pack(arrays, shapes))
    with names_not_counted():
        body = OwnCall(model)
        numbers = itertools.count(1)
        inputs = map_structure(
            lambda each: Input(
                batch_shape=(None,) * max(each.ndim, 1),
                dtype=str(each.dtype),
                name=f"input_{next(numbers)}",
            ),
            arrays,
        )
        made = model.traced.node_of_call(inputs, (), {})
    node = Node(body, made.inputs, made.listed, None, None, made.options, made.arguments)
    structure, found = probed(body, shapes, node)
    with names_not_counted():
        tensors = [KerasTensor(shape) for shape in found]
    return Graph(inputs, body._record(node, pack(structure, tensors)))


def output_shapes(graph: Graph, input_shapes: Sequence[Any]) -> list[Any]:
    """Return the shapes of the outputs for shapes of the inputs.

    Args:
        graph: The graph of a model's `call`.
        input_shapes: The shape of each input, batch first.
    """
    batch = input_shapes[0][0]
    found = graph.shapes([(None, *shape[1:]) for shape in input_shapes])
    return [(batch, *shape[1:]) if shape and shape[0] is None else shape for shape in found]
