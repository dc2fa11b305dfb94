"""A directed acyclic graph of calls of layers, between symbolic inputs and outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastrnn.layers.input_layer import InputLayer
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.operation import Operation
from fastrnn.layers.own_layers import shapes_of_call
from fastrnn.symbolic import KerasTensor, Node, flatten, map_structure


class Place(NamedTuple):
    """Where a tensor comes from: an output of a call of a layer.

    Attributes:
        layer: Name of the layer.
        call: Number of the call among those of the layer in the graph.
        output: Number of the output.
    """

    layer: str
    call: int
    output: int


class Graph:
    """The calls that lead from some symbolic tensors to others.

    Args:
        inputs: A symbolic tensor, or lists, tuples and dicts of them. Where one is not that of an
            `Input`, the calls are recorded again on a new one.
        outputs: Likewise.

    Attributes:
        inputs: The input tensors, dicts in the order of their keys.
        outputs: The output tensors, likewise.
        input_structure: What was given as inputs.
        output_structure: What was given as outputs.
        nodes: The calls, each after those whose results it takes.
        members: The layers and operations in Keras's order, with the InputLayers.
        layers: Those of them that are no operations, such as `x + y`.

    Raises:
        ValueError: If one of them is not a symbolic tensor, an output does not depend on the inputs
            alone, an input is not needed, or two layers have one name.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        for name, structure in (("inputs", inputs), ("outputs", outputs)):
            leaves = flatten(structure)
            for tensor in leaves:
                if not isinstance(tensor, KerasTensor):
                    raise ValueError(
                        f"`{name}` must be symbolic tensors, as `Input` and calls of layers on "
                        f"them return. Received: {tensor!r} (of type {type(tensor).__name__})"
                    )
            if not leaves:
                raise ValueError(f"`{name}` must hold at least one tensor. Received: {structure!r}")
        _refuse_twice(flatten(inputs))
        if not all(tensor.node.is_input for tensor in flatten(inputs)):
            inputs, outputs = _recorded_again(inputs, outputs)
        self.input_structure, self.output_structure = inputs, outputs
        self.inputs: list[KerasTensor] = flatten(inputs)
        self.outputs: list[KerasTensor] = flatten(outputs)
        self.nodes, first_visit = _walked(self.inputs, self.outputs)
        _refuse_other_inputs(self.nodes, self.inputs)
        _refuse_unused(self.nodes, self.inputs)
        self.members = self._in_keras_order(first_visit)
        self.layers = [each for each in self.members if not isinstance(each, Operation)]
        _refuse_equal_names(self.members)

    def _in_keras_order(self, first_visit: dict[int, int]) -> list[Layer]:
        """Return the layers by their distance from the outputs, the farthest first.

        A layer that is called several times counts by its farthest call, and so do the calls
        below it. Layers of one distance stand in the order in which a walk from the outputs meets
        them. Keras's order of weights, and the names of groups in its files, follow from this.
        """
        of_node: dict[int, int] = {}
        of_layer: dict[int, int] = {}
        layers: dict[int, Layer] = {}
        for node in reversed(self.nodes):
            key = id(node.layer)
            distance = max(of_node.get(id(node), 0), of_layer.get(key, 0))
            of_layer[key] = of_node[id(node)] = distance
            layers[key] = node.layer
            for tensor in node.parents:
                below = id(tensor.node)
                of_node[below] = max(distance + 1, of_node.get(below, 0))
        return [
            layers[key]
            for key in sorted(layers, key=lambda key: (-of_layer[key], first_visit[key]))
        ]

    def nodes_of(self, layer: Layer) -> list[Node]:
        """Return the calls of one layer in this graph, in the order in which they were made."""
        return [node for node in self.nodes_as_made() if node.layer is layer]

    def nodes_as_made(self) -> list[Node]:
        """Return all calls in the order in which they were made."""
        return sorted(self.nodes, key=lambda node: node.number)

    def places(self) -> dict[int, Place]:
        """Return for the id of each tensor where it comes from."""
        counts: Counter[int] = Counter()
        places = {}
        for node in self.nodes_as_made():
            number = counts[id(node.layer)]
            counts[id(node.layer)] += 1
            for tensor in node.outputs:
                places[id(tensor)] = Place(node.layer.name, number, tensor.index)
        return places

    def opened(self) -> list[Graph]:
        """Return this graph and those of the models in it: what its steps depend on."""
        inner = [node.layer.opened_graph for node in self.nodes]
        return [self, *[each for graph in inner if graph is not None for each in graph.opened()]]

    @property
    def is_chain(self) -> bool:
        """Whether each layer but the last hands its one output to one other, from one input on."""
        readers = Counter(id(tensor) for node in self.nodes for tensor in node.inputs)
        return (
            len(self.inputs) == len(self.outputs) == 1
            and all(len(node.inputs) <= 1 and len(node.outputs) == 1 for node in self.nodes)
            and all(number == 1 for number in readers.values())
        )

    def shapes(self, input_shapes: Sequence[Shape]) -> list[Shape]:
        """Return the shapes of the outputs for shapes of the inputs; all layers check theirs.

        Args:
            input_shapes: One for each input, in the order of `inputs`; None for sizes left open.

        Raises:
            ValueError: If a layer cannot take its part.
        """
        known: dict[int, Any] = {
            id(tensor): shape for tensor, shape in zip(self.inputs, input_shapes, strict=True)
        }
        for node in self.nodes:
            if node.is_input:
                continue
            shapes: Any = [known[id(tensor)] for tensor in node.inputs]
            if not node.listed:
                (shapes,) = shapes
            if not node.layer.replaces_call:  # else it is for what the user's `call` hands on
                node.layer.check_input_shape(shapes)
            found = shapes_of_call(node.layer, node, shapes)
            known |= {id(tensor): one for tensor, one in zip(node.outputs, found, strict=True)}
        return [known[id(tensor)] for tensor in self.outputs]

    def replay(self, inputs: Any, layer_of: Callable[[Layer], Layer]) -> Any:
        """Call other layers in the way of this graph.

        Args:
            inputs: Symbolic tensors in the structure of the inputs.
            layer_of: Function that returns the layer to call in place of one of this graph.

        Returns:
            Symbolic tensors in the structure of the outputs.
        """
        new = dict(zip(map(id, self.inputs), flatten(inputs), strict=True))
        _replay(self.nodes_as_made(), new, layer_of)
        return map_structure(lambda tensor: new[id(tensor)], self.output_structure)

    # ---------------------------------------------------------------------------------- copies

    def __getstate__(self) -> dict[str, Any]:
        """Return layers and calls in flat lists: nested they would exceed Python's recursion."""
        numbers: dict[int, _Reference] = {}
        layers = {id(layer): number for number, layer in enumerate(self.members)}
        calls = []
        for node in self.nodes_as_made():
            arguments = _with_tensors(numbers.__getitem__, node.arguments)
            calls.append((layers[id(node.layer)], arguments))
            for tensor in node.outputs:
                numbers[id(tensor)] = _Reference(len(numbers))
        return {
            "layers": self.members,
            "calls": calls,
            "inputs": _with_tensors(numbers.__getitem__, self.input_structure),
            "outputs": _with_tensors(numbers.__getitem__, self.output_structure),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the calls anew from the result of `__getstate__`."""
        tensors: list[KerasTensor] = []

        def resolved(structure: Any) -> Any:
            return map_structure(
                lambda leaf: tensors[leaf.number] if isinstance(leaf, _Reference) else leaf,
                structure,
            )

        for number, arguments in state["calls"]:
            layer = state["layers"][number]
            args, kwargs = resolved(arguments)
            tensors += flatten(layer(*args, **kwargs) if args else layer.output)
        Graph.__init__(self, resolved(state["inputs"]), resolved(state["outputs"]))


@dataclass(frozen=True)
class _Reference:
    """Stands for a tensor in a pickle."""

    number: int


def _with_tensors(function: Callable[[int], Any], structure: Any) -> Any:
    """Return a structure with a function of the tensors' ids in place of them."""
    return map_structure(
        lambda leaf: function(id(leaf)) if isinstance(leaf, KerasTensor) else leaf, structure
    )


def _replay(
    nodes: Sequence[Node], new: dict[int, KerasTensor], layer_of: Callable[[Layer], Layer]
) -> None:
    """Make calls again on other tensors.

    Args:
        nodes: The calls, in the order in which they were made.
        new: The other tensor for the id of each input; gets one for each that the calls return.
        layer_of: Function that returns the layer to call in place of one.
    """
    for node in nodes:
        if node.is_input or all(id(tensor) in new for tensor in node.outputs):
            continue
        args, kwargs = _with_tensors(new.__getitem__, node.arguments)
        made = flatten(layer_of(node.layer)(*args, **kwargs))
        for old, tensor in zip(node.outputs, made, strict=True):
            new.setdefault(id(old), tensor)


def _recorded_again(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Return inputs and outputs of the same calls on new tensors where an input is no `Input`."""
    given = flatten(inputs)
    nodes, _ = _walked(given, flatten(outputs))
    _refuse_other_inputs(nodes, given)
    new = {
        id(tensor): tensor
        if tensor.node.is_input
        else InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype).tensor
        for tensor in given
    }
    _replay(sorted(nodes, key=lambda node: node.number), new, lambda layer: layer)
    return _with_tensors(new.__getitem__, inputs), _with_tensors(new.__getitem__, outputs)


def _walked(
    inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]
) -> tuple[list[Node], dict[int, int]]:
    """Walk from the outputs to the inputs, depth first.

    Returns:
        The calls, each after those whose results it takes; and for the id of each layer when the
        walk has met it first.
    """
    ends = {id(tensor) for tensor in inputs if not tensor.node.is_input}
    nodes: list[Node] = []
    first_visit: dict[int, int] = {}
    met: set[int] = set()
    for output in outputs:
        path: list[tuple[Node, Iterator[KerasTensor]]] = []
        below: KerasTensor | None = output
        while below is not None or path:
            if below is not None and id(below) not in ends and id(below.node) not in met:
                node = below.node
                met.add(id(node))
                first_visit.setdefault(id(node.layer), len(first_visit))
                path.append((node, iter(node.parents)))
            below = next(path[-1][1], None) if path else None
            if path and below is None:
                nodes.append(path.pop()[0])
    return nodes, first_visit


def _refuse_other_inputs(nodes: Sequence[Node], inputs: Sequence[KerasTensor]) -> None:
    """Refuse outputs that need an `Input` that is not one of the inputs."""
    given = {id(tensor.node) for tensor in inputs}
    for node in nodes:
        if node.is_input and id(node) not in given:
            raise ValueError(
                f"The outputs of a model must depend on its inputs alone, which are "
                f"{_described(inputs)}. Received: outputs that also need {_described(node.outputs)}"
            )


def _refuse_unused(nodes: Sequence[Node], inputs: Sequence[KerasTensor]) -> None:
    needed = {id(node) for node in nodes}
    unused = [tensor for tensor in inputs if id(tensor.node) not in needed]
    if unused:
        raise ValueError(
            f"Each input of a model must lead to an output. Received: {_described(unused)}, which "
            "none of the outputs needs"
        )


def _refuse_twice(inputs: Sequence[KerasTensor]) -> None:
    twice = [tensor for tensor, times in Counter(inputs).items() if times > 1]
    if twice:
        raise ValueError(
            f"The inputs of a model must be different tensors. Received twice: {_described(twice)}"
        )


def _refuse_equal_names(layers: Sequence[Layer]) -> None:
    for name, times in Counter(layer.name for layer in layers).items():
        if times > 1:
            raise ValueError(
                f"The layers of a model must have different names. Received: {times} named '{name}'"
            )


def _described(tensors: Sequence[KerasTensor]) -> str:
    return ", ".join(f"'{tensor.name}' of shape {tensor.shape}" for tensor in tensors)
