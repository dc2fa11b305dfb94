"""How layers whose `call` a user wrote are built, called on arrays, and asked for their shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastrnn.layers.attributes import all_inside
from fastrnn.layers.inputs import as_own_input
from fastrnn.layers.overrides import is_of_fastrnn
from fastrnn.layers.traced import FORM, as_output
from fastrnn.symbolic import KerasTensor, Node, flatten, map_shapes, map_structure, pack
from fastrnn.tracing import standing_for


def call_on_arrays(layer: Any, inputs: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run a user's `call` on arrays, without a trace.

    Args:
        layer: The layer.
        inputs: The first argument: array, nested lists of numbers, or lists and dicts of arrays.
        args: Further arguments.
        kwargs: Further arguments.
    """
    if not is_structure(inputs):
        inputs = as_own_input(inputs, "inputs")
    args, kwargs = map_structure(_converted, ((inputs, *args), dict(kwargs)))
    layer.traced.build(*map_structure(_symbol, (args, kwargs)))
    first = flatten(args[0])
    if first and isinstance(first[0], np.ndarray) and not len(first[0]):
        arguments = map_structure(_symbol, (args, kwargs))
        node = layer.traced.node_of_call(arguments[0][0], arguments[0][1:], arguments[1])
        structure, shapes = probed(layer, [each.shape for each in node.inputs], node)
        return pack(structure, [np.zeros(shape, np.float32) for shape in shapes])
    for each in all_inside(layer):
        each._added = []
    with standing_for({}):
        _, value = layer.traced.run(args, kwargs, None, None)
    layer.built = True  # with all layers that the call has used
    return map_structure(_as_result, value)


def is_structure(inputs: Any) -> bool:
    """Return whether inputs are lists, tuples or dicts of arrays, not nested lists of numbers.

    Args:
        inputs: What a layer or model is called on.
    """
    if isinstance(inputs, Mapping):
        return True
    return isinstance(inputs, list | tuple) and any(
        hasattr(each, "__array__") and np.ndim(each) for each in flatten(inputs)
    )


def _converted(leaf: Any) -> Any:
    return as_own_input(leaf, "inputs") if hasattr(leaf, "__array__") and np.ndim(leaf) else leaf


def _symbol(leaf: Any) -> Any:
    if not isinstance(leaf, np.ndarray):
        return leaf
    return KerasTensor(leaf.shape, str(leaf.dtype), name="array")


def _as_result(value: Any) -> Any:
    """Return what a call returned: floats as float32, other arrays as they are."""
    array = getattr(value, "value", value)
    if not isinstance(array, np.ndarray | np.generic) or array.dtype == np.float64:
        return as_output(array)
    return np.asarray(array)


def own_outputs(layer: Any, node: Node) -> Any:
    """Return symbolic tensors for the outputs of a call on symbolic tensors; build the layer.

    Args:
        layer: The layer.
        node: The record of the call.
    """
    arguments = node.options.get(FORM)
    if arguments is None:
        arguments = (node.inputs, {})
    else:
        arguments = map_structure(
            lambda leaf: node.inputs[leaf.number] if hasattr(leaf, "number") else leaf, arguments
        )
    layer.traced.build(*arguments, open_batch=False)
    shapes = [tensor.shape for tensor in node.inputs]
    if says_shapes(layer, node):
        if not all(each.built for each in all_inside(layer)):
            probed(layer, shapes, node)
        return map_shapes(KerasTensor, layer.compute_output_shape(pack(arguments[0][0], shapes)))
    structure, found = probed(layer, shapes, node)
    return pack(structure, [KerasTensor(shape) for shape in found])


def shapes_of_call(layer: Any, node: Node, shapes: Any) -> list[Any]:
    """Return the shapes of the outputs of a call in a graph, in the order of `flatten`.

    Args:
        layer: The layer.
        node: The call.
        shapes: The shape of the input, or a list of shapes.
    """
    made: Any = None
    if not layer.is_own_call:
        made = layer.output_shape_of_call(shapes, **node.options)
    else:
        own = list(shapes) if node.listed else [shapes]
        if not says_shapes(layer, node):
            return probed(layer, own, node)[1]
        made = layer.compute_output_shape(pack(node.arguments[0][0], own))
    found: list[Any] = []
    map_shapes(found.append, made)
    return found


def inferred_output_shape(layer: Any, input_shape: Any) -> Any:
    """Return the shape of the output of a layer that does not say it, by calling it twice.

    Args:
        layer: The layer.
        input_shape: Shape of the input, or list of shapes; None for sizes left open.
    """
    layer.build(input_shape)
    listed = any(isinstance(each, list | tuple) for each in input_shape)
    shapes = list(input_shape) if listed else [input_shape]
    inputs = tuple(KerasTensor(tuple(shape), name="array") for shape in shapes)
    structure, found = probed(layer, shapes, Node(layer, inputs, listed))
    return found if isinstance(structure, list | tuple | dict) else found[0]


def probed(layer: Any, shapes: Sequence[Any], node: Node) -> tuple[Any, list[Any]]:
    """Return the structure of the outputs of a `call`, and their shapes; it runs on zeros.

    That also builds the layers that it calls. What is left open is tried with two sizes: where the
    results differ, it is open in the outputs. States are as they were before.

    Args:
        layer: The layer or model.
        shapes: The shape of each input; None for sizes left open.
        node: A call on such inputs.

    Returns:
        The structure, and the shapes in the order of `flatten`.
    """
    key = repr((shapes, [tensor.dtype for tensor in node.inputs], node.options))
    found: tuple[Any, list[Any]] | None = layer._probed.get(key)
    if found is not None:
        return found
    outputs = []
    is_open = any(None in shape for shape in shapes)
    with _kept(layer), np.errstate(all="ignore"), standing_for({}):
        for size in (2, 3) if is_open else (2,):
            zeros = [
                np.zeros([size if each is None else each for each in shape], tensor.dtype)
                for shape, tensor in zip(shapes, node.inputs, strict=True)
            ]
            x = zeros if node.listed else zeros[0]
            outputs.append(layer.traced._from_graph(x, None, None, node.options)[1])
    sizes = [
        tuple(a if a == b else None for a, b in zip(np.shape(one), np.shape(other), strict=True))
        for one, other in zip(flatten(outputs[0]), flatten(outputs[-1]), strict=True)
    ]
    found = map_structure(lambda _: None, outputs[0]), sizes
    layer._probed[key] = found
    return found


@contextmanager
def _kept(layer: Any) -> Iterator[None]:
    """Leave states, counters and metrics of a layer as they are, within a `with` block."""
    inside = all_inside(layer)
    stateful = [each for each in inside if each._stateful]
    for each in stateful:
        each._stateful = False  # the states are those of rows, of which there are two or three
    states = [(each, each.get_state()) for each in inside]
    metrics = [metric for each in inside for metric in each._own_metrics()]
    metric_states = [(metric, metric.get_state()) for metric in metrics]
    counters = [
        (variable, variable.numpy()) for variable in layer.weights if not variable.has_gradient
    ]
    try:
        yield
    finally:
        for each in stateful:
            each._stateful = True
        for owner, state in (*states, *metric_states):
            owner.set_state(state)
        for variable, value in counters:
            variable.assign(value)


def says_shapes(layer: Any, node: Node) -> bool:
    """Return whether a user's class says the shapes of the outputs of a call.

    A call with tensors in several arguments is run in any case, to find them.

    Args:
        layer: The layer.
        node: The call.
    """
    if not node.arguments[0] or len(flatten(node.arguments[0][0])) != len(node.inputs):
        return False
    for cls in type(layer).__mro__:
        if "compute_output_shape" in vars(cls):
            return not is_of_fastrnn(cls)
    return False
