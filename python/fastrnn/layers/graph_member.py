"""What a layer is in a graph: the record of its calls on symbolic tensors."""

from __future__ import annotations

import inspect
from typing import Any

from fastrnn.symbolic import KerasTensor, Node, flatten


class GraphMember:
    """Base of all layers: what they have as members of graphs.

    Attributes:
        name: Unique name in its model.
    """

    name: str
    _inbound_nodes: list[Node]

    first_call_number = 0
    """Number of the first call of the layer where Keras's files name a model's ends."""

    uses_masks_of_list = True
    """Whether it uses the masks of the inputs of a list, where the call does not give some."""

    finds_masks = False
    """Whether a call looks for the masks on its inputs, as Keras's merges do; else a graph hands
    the masks to a layer that uses them."""

    takes_masks_off = False
    """Whether the masks of the first three inputs are gone for the calls after this one that look
    for them, as after Keras's MultiHeadAttention."""

    takes_list = False
    """Whether the layer is called on a list of inputs."""

    @property
    def takes_texts(self) -> bool:
        """Whether the layer is called on strings."""
        return False

    @property
    def output_dtype(self) -> str:
        """Type of the elements of what the layer returns."""
        return "float32"

    @property
    def input(self) -> Any:
        """What the layer was first called on: a symbolic tensor, or a list of them.

        Raises:
            AttributeError: If it was never called on a symbolic tensor.
        """
        node = self._first_node("input")
        return list(node.inputs) if node.listed else node.inputs[0] if node.inputs else self.output

    @property
    def output(self) -> Any:
        """What the layer's first call on symbolic tensors returned.

        Raises:
            AttributeError: If it was never called on a symbolic tensor.
        """
        return self._first_node("output").structure

    def _first_node(self, name: str) -> Node:
        if not self._inbound_nodes:
            raise AttributeError(
                f"Layer '{self.name}' has no `{name}` before it is called on a symbolic tensor."
            )
        return self._inbound_nodes[0]

    def _record(self, node: Node, outputs: Any) -> Any:
        """Keep a call and return its outputs, a structure of new symbolic tensors."""
        self._inbound_nodes.append(node)
        return node.returns(outputs)

    def _node_of_call(
        self, inputs: Any, training: Any = None, mask: Any = None, **options: Any
    ) -> Node:
        """Return the record of a call on symbolic tensors.

        A layer whose call has further arguments overrides it, to tell apart which are inputs and
        which go to `forward` as keyword arguments.

        Args:
            inputs: A symbolic tensor, or a list of them.
            training: Whether dropout is active where the model is told nothing about it, as in
                Keras; None for no.
            mask: Symbolic mask of the inputs, or a list of them; None for the masks that they have.
            **options: Further keyword arguments of `forward`.

        Returns:
            The record, without outputs.

        Raises:
            ValueError: If an input is not a symbolic tensor, or their number does not fit.
        """
        listed = isinstance(inputs, (list, tuple))
        if listed and not self.takes_list:
            if len(inputs) != 1:
                raise ValueError(
                    f"Layer '{self.name}' takes one input. Received: {len(inputs)} of them"
                )
            (inputs,), listed = inputs, False
        tensors = tuple(inputs) if listed else (inputs,)
        masks = tuple(flatten(mask)) if mask is not None else None
        for each in (*tensors, *[mask for mask in masks or () if mask is not None]):
            if not isinstance(each, KerasTensor):
                raise ValueError(
                    f"All tensors in a call of layer '{self.name}' must be symbolic where one is. "
                    f"Received: {each!r} (of type {type(each).__name__})"
                )
        if masks is not None and len(masks) != len(tensors):
            raise ValueError(
                f"`mask` of layer '{self.name}' must have an entry for each of the "
                f"{len(tensors)} inputs. Received: {len(masks)}"
            )
        return Node(self, tensors, listed, training, masks, options)

    def _arguments_of_call(
        self, inputs: Any, *args: Any, **kwargs: Any
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments by which a config says the call, and a copy repeats it.

        Args:
            inputs: A symbolic tensor, or a list of them.
            *args: The positional arguments behind them.
            **kwargs: The keyword arguments.
        """
        bound = inspect.signature(self._node_of_call).bind(inputs, *args, **kwargs)
        (_, inputs), *others = bound.arguments.items()
        options = dict(others)
        options |= options.pop("options", {})
        return (inputs,), {key: value for key, value in options.items() if value is not None}

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, batch first, for an input shape."""
        raise NotImplementedError

    def output_shape_of_call(self, input_shape: Any, **options: Any) -> Any:
        """Return the shape of the output of one call, batch first.

        A layer whose call has arguments that change what it returns overrides it.

        Args:
            input_shape: Shape of the input, or list of shapes; None for sizes left open.
            **options: Further keyword arguments of `forward`.
        """
        return self.compute_output_shape(input_shape)
