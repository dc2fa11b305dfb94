"""A graph as one list of steps: models inside it are opened, and tensors become numbered slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastrnn.graph.graph import Graph
from fastrnn.layers.inputs import as_floats
from fastrnn.layers.layer import Layer
from fastrnn.symbolic import Node


@dataclass(eq=False)
class Step:
    """One call of a layer on the values of some slots.

    Attributes:
        layer: The layer; a rule may put one in its place that shares its weights.
        sources: Slots of the inputs.
        results: Slots of the outputs.
        listed: Whether the layer takes a list of arrays.
        several: Whether it returns several.
        training: What the call says about `training`, where the model is told nothing, as in Keras.
        masks: Slots whose values are the masks of the inputs, None for a mask that comes with the
            input; None for no such slots.
        options: Further keyword arguments of the layer's `forward`.
        hands_tokens: Whether the layer, an Embedding, hands on its tokens and its table.
    """

    layer: Layer
    sources: tuple[int, ...]
    results: tuple[int, ...]
    listed: bool = False
    several: bool = False
    training: bool | None = None
    masks: tuple[int | None, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    hands_tokens: bool = False

    @property
    def output_activation(self) -> str | None:
        """Name of an activation at the layer's end that can be left off; None within a `call`."""
        return None if self.layer.is_own_call else self.layer.output_activation

    @property
    def takes_tokens(self) -> bool:
        """Whether the layer takes a `kernels.Embedded` in place of an Embedding's output."""
        return self.layer.takes_tokens and not self.layer.is_own_call

    @property
    def keeps_tape(self) -> bool:
        """Whether the layer's `backward` takes `consume`."""
        return self.layer.keeps_tape and not self.layer.is_own_call


class Plan:
    """The steps of a graph, in an order in which they can be taken.

    Args:
        graph: The graph, built.

    Attributes:
        steps: The steps.
        inputs: The slot of each input of the graph.
        outputs: The slot of each output. Two may be the same, or one that of an input.
        slots: How many slots there are.
    """

    def __init__(self, graph: Graph) -> None:
        self.steps: list[Step] = []
        self.slots = 0
        self.inputs = self.new_slots(len(graph.inputs))
        self.outputs = self._add(graph, self.inputs, None)

    def new_slots(self, number: int) -> list[int]:
        """Return so many slots that were not there before."""
        self.slots += number
        return list(range(self.slots - number, self.slots))

    def _add(self, graph: Graph, inputs: Sequence[int], training: bool | None) -> list[int]:
        """Append the steps of a graph and return the slots of its outputs."""
        slots = {id(tensor): slot for tensor, slot in zip(graph.inputs, inputs, strict=True)}
        for node in graph.nodes:
            if node.is_input:
                continue
            own = training if node.training is None else bool(node.training)
            sources = [slots[id(tensor)] for tensor in node.inputs]
            if (inner := node.layer.opened_graph) is not None and node.masks is None:
                results = self._add(inner, sources, own)
            else:
                results = self.new_slots(len(node.outputs))
                self.steps.append(_step(node, sources, results, slots, own))
            slots |= {id(each): slot for each, slot in zip(node.outputs, results, strict=True)}
        return [slots[id(tensor)] for tensor in graph.outputs]

    def readers(self, slot: int) -> list[Step]:
        """Return the steps that take the value of a slot."""
        return [step for step in self.steps if slot in (*step.sources, *(step.masks or ()))]

    def maker(self, slot: int) -> Step | None:
        """Return the step that makes the value of a slot; None for an input's."""
        return next((step for step in self.steps if slot in step.results), None)

    def takes_texts(self, number: int) -> bool:
        """Return whether strings are given for an input.

        Args:
            number: Which input.
        """
        return any(step.layer.takes_texts for step in self.readers(self.inputs[number]))

    def convert(self, number: int, value: Any, name: str) -> np.ndarray:
        """Return an input from outside as the array that the layers above it take.

        Args:
            number: Which input.
            value: Array or nested lists.
            name: What messages call it.

        Raises:
            TypeError, ValueError: If they cannot take it.
        """
        found = [
            step.layer.as_input(value, name)
            for step in self.readers(self.inputs[number])
            if not step.layer.takes_list
        ]
        tokens = [array for array in found if array.dtype.kind == "i"]
        array: np.ndarray = (tokens or found or [as_floats(value, name)])[0]
        return array


def _step(
    node: Node,
    sources: Sequence[int],
    results: Sequence[int],
    slots: Mapping[int, int],
    training: bool | None,
) -> Step:
    masks: tuple[int | None, ...] | None = None
    if node.masks is not None:
        masks = tuple(None if mask is None else slots[id(mask)] for mask in node.masks)
    return Step(
        node.layer,
        tuple(sources),
        tuple(results),
        listed=node.listed,
        several=isinstance(node.structure, (list, tuple, dict)),
        training=training,
        masks=masks,
        options=node.options,
    )
