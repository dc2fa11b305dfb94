"""Collects the nodes of an ONNX graph, under names that tell the layer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastrnn.layers.layer import Shape
from fastrnn.variable import Variable

Value = str | np.ndarray | np.generic | float | None
"""An input of a node: the name of a value, a constant, or None for one that is left out."""


@dataclass(frozen=True)
class Tensor:
    """A value of the graph.

    Attributes:
        name: Its name.
        shape: Its shape, batch first; None for sizes left open.
        mask: Name of its mask, booleans `[batch, steps]`; None for none.
    """

    name: str
    shape: Shape
    mask: str | None = None


@dataclass(frozen=True)
class OnnxNode:
    """A node: the operator, the names of its inputs and outputs, and its attributes."""

    operator: str
    name: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)


class Builder:
    """The nodes and constants of a graph in the making.

    Attributes:
        nodes: The nodes, each after those whose outputs it takes.
        constants: The constants by name.
        scope: What names begin with: that of the layer that is exported.
    """

    def __init__(self) -> None:
        self.nodes: list[OnnxNode] = []
        self.constants: dict[str, np.ndarray] = {}
        self.scope = ""
        self._used: Counter[str] = Counter()
        self._known: dict[Any, str] = {}

    def add(self, operator: str, *inputs: Value | Tensor, **attributes: Any) -> str:
        """Append a node of one output and return the name of that.

        Args:
            operator: Name of the operator.
            *inputs: Its inputs.
            **attributes: Its attributes; None for one that is left out.
        """
        return self.add_several(operator, 1, *inputs, **attributes)[0]

    def add_several(
        self, operator: str, count: int, *inputs: Value | Tensor, **attributes: Any
    ) -> list[str]:
        """Append a node of several outputs and return their names.

        Args:
            operator: Name of the operator.
            count: Number of outputs.
            *inputs: Its inputs.
            **attributes: Its attributes; None for one that is left out.
        """
        name = self.new_name(operator)
        outputs = [name] if count == 1 else [f"{name}:{number}" for number in range(count)]
        names = [self._name_of(each) for each in inputs]
        while names and not names[-1]:
            names.pop()
        given = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(OnnxNode(operator, name, names, outputs, given))
        return outputs

    def new_name(self, name: str) -> str:
        """Return a name in the scope that no other value has."""
        whole = f"{self.scope}/{name}" if self.scope else name
        self._used[whole] += 1
        return whole if self._used[whole] == 1 else self.new_name(f"{name}_{self._used[whole] - 1}")

    def weight(self, variable: Variable, change: str = "", value: np.ndarray | None = None) -> str:
        """Return the name of a weight, which calls of a layer share.

        Args:
            variable: The weight.
            change: What was done to it, if `value` is not that of the variable.
            value: What is put into the graph.
        """
        key = (id(variable), change)
        if key not in self._known:
            name = self.new_name(f"{variable.name}{change}")
            self.constants[name] = np.array(variable.value if value is None else value)
            self._known[key] = name
        return self._known[key]

    def _name_of(self, value: Value | Tensor) -> str:
        if value is None:
            return ""
        if isinstance(value, Tensor):
            return value.name
        if isinstance(value, str):
            return value
        array = np.asarray(value)
        if isinstance(value, float):
            array = array.astype(np.float32)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            scope, self.scope = self.scope, ""
            self._known[key] = self.new_name(f"constant_{len(self._known)}")
            self.scope = scope
            self.constants[self._known[key]] = array
        return self._known[key]


def integers(*values: int) -> np.ndarray:
    """Return a constant such as shapes and axes are."""
    return np.array(values, np.int64)
