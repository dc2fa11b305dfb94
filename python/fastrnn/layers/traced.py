"""Layers that have a `call` and no `forward` and `backward`: their derivative comes from a trace.

Within a trace a layer's weights are traced arrays in place of its attributes. Layers of fastrnn
that it calls run their own passes, as one operation of the trace each.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastrnn.symbolic import flatten
from fastrnn.tracing import Differentiable, Pullback, is_traced, is_tracing, native, plain
from fastrnn.variable import Variable

# While a layer is traced: its traced `weights`, by the ids of the variables, and `training`.
_now = threading.local()


class TracedCall:
    """The way into a layer's `call`: forward with a tape, backward, or forward alone.

    Args:
        layer: The layer.
    """

    def __init__(self, layer: Any) -> None:
        parameters = inspect.signature(type(layer).call).parameters
        rest = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
        self._takes = {name for name in ("training", "mask") if rest or name in parameters}
        self.uses_mask = "mask" in parameters
        self._layer = layer
        self._function: Any = None
        self._differentiable = Differentiable(
            lambda *arrays: self._function(*arrays), f"Layer '{layer.name}'"
        )

    def infer(self, x: Any, training: bool = False, mask: Any = None, **options: Any) -> Any:
        """Return the layer's outputs without a trace."""
        with as_traced({}, training), attributes_traced(self._layer, is_tracing()):
            return _plain_outputs(self._layer.call(x, **self._options(training, mask), **options))

    def forward(
        self, x: Any, training: bool = False, mask: Any = None, **options: Any
    ) -> tuple[Any, tuple[Pullback, list[int], int | None]]:
        """Return the layer's outputs and what `backward` needs."""
        inputs = x if isinstance(x, list) else [x]
        floats = [number for number, each in enumerate(inputs) if each.dtype.kind == "f"]
        variables = self._layer.weights

        def function(*arrays: Any) -> Any:
            values = list(inputs)
            for number, array in zip(floats, arrays, strict=False):
                values[number] = array
            weights = zip(variables, arrays[len(floats) :], strict=True)
            with (
                as_traced({id(variable): array for variable, array in weights}, training),
                attributes_traced(self._layer),
            ):
                given = values if isinstance(x, list) else values[0]
                return self._layer.call(given, **self._options(training, mask), **options)

        self._function = function
        arrays = [inputs[number] for number in floats] + [each.value for each in variables]
        value, pullback = self._differentiable.vjp(*arrays)
        count = len(inputs) if isinstance(x, list) else None
        return _plain_outputs(value), (pullback, floats, count)

    def backward(self, cache: Any, d_y: Any) -> tuple[Any, list[np.ndarray]]:
        """Return the gradients of the input (a list if it was one) and of the weights."""
        pullback, floats, count = cache
        gradients = pullback(d_y)
        d_inputs: list[Any] = [None] * (1 if count is None else count)
        for number, gradient in zip(floats, gradients, strict=False):
            d_inputs[number] = gradient
        d_x = d_inputs[0] if count is None else d_inputs
        return d_x, list(gradients[len(floats) :])

    def _options(self, training: bool, mask: Any) -> dict[str, Any]:
        given = {"training": training, "mask": mask}
        return {name: given[name] for name in self._takes}


def call_within_trace(layer: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a layer inside the `call` of another that is traced.

    Args:
        layer: The layer inside.
        inputs: What it is called on.
        args: Further arguments of its call.
        kwargs: Further arguments of its call.
    """
    arrays = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    listed = isinstance(inputs, list | tuple)
    shapes: Any = [np.shape(plain(each)) for each in arrays]
    layer.build(shapes if listed else shapes[0])
    if layer.traced is not None or layer.takes_traced:
        with attributes_traced(layer):  # those that are not yet
            return layer.call(inputs, *args, **kwargs)
    for each in arrays:
        if not is_traced(each) and not isinstance(each, np.ndarray):
            raise TypeError(
                f"Layer '{layer.name}' must be called on arrays, also inside of a `call`. "
                f"Received: {type(each).__name__}"
            )
    names = _ARGUMENTS_OF_SEQUENCES if hasattr(layer, "state_sizes") else _ARGUMENTS
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    training, mask = given.pop("training", None), given.pop("mask", None)
    states = given.pop("initial_state", None)
    if states is not None:
        arrays += list(states) if isinstance(states, list | tuple) else [states]
        listed, mask = True, [mask] + [None] * (len(arrays) - 1)
    if mask is None and layer.supports_masking and not listed:
        _refuse_mask_of(layer, plain(arrays[0]))
    count = len(arrays)
    trains = trains_now(training)
    options = (trains, mask) if layer.uses_mask else (trains,)

    def forward(*values: Any) -> tuple[Any, Any]:
        first, *others = values[:count]
        several = listed and layer.inner_graph is not None  # a model of several inputs
        x: Any = layer.as_input(list(values[:count]) if several else first)
        if listed and not several:
            x = [x, *(np.asarray(each, np.float32) for each in others)]
        y, cache = layer.forward(x, *options, **given)
        return (tuple(y) if isinstance(y, list | tuple) else y), cache

    def backward(cache: Any, d_y: Any) -> list[Any]:
        d_x, d_weights = layer.backward(cache, list(d_y) if isinstance(d_y, tuple) else d_y)
        return [*(d_x if listed else [d_x]), *d_weights]

    traced = getattr(_now, "weights", {})
    weights = [traced.get(id(variable), variable.value) for variable in layer.weights]
    return native(forward, backward, *arrays, *weights)


# Further arguments of a call, in their order.
_ARGUMENTS = ("training", "mask")
_ARGUMENTS_OF_SEQUENCES = ("initial_state", "mask", "training")


def trains_now(training: bool | None) -> bool:
    """Return whether dropout is active in a layer that is called within a trace.

    Args:
        training: What the call says; None for what holds for the layer around it.
    """
    return bool(getattr(_now, "training", False) if training is None else training)


def _refuse_mask_of(layer: Any, x: Any) -> None:
    """Refuse a layer that makes a mask: inside of a `call` it would not reach other layers."""
    if layer.compute_mask(x, None) is not None:
        raise ValueError(
            f"Layer '{layer.name}' makes a mask, which does not reach the next layer inside of a "
            "`call`. Put the layer in front of this one, or compute the mask (`ops.not_equal(x, "
            "0)`) and pass it on as `mask=`."
        )


def layers_of(owner: object) -> list[Any]:
    """Return the layers among an object's attributes, and in lists and dicts of them, in order.

    Args:
        owner: A layer of the user's.
    """
    found: dict[int, Any] = {}
    for value in vars(owner).values():
        for each in _entries(value):
            if hasattr(each, "_inbound_nodes"):
                found.setdefault(id(each), each)
    return list(found.values())


def inferred_output_shape(layer: Any, input_shape: Any) -> Any:
    """Return the shape of the output of a layer that does not say it, by calling it twice.

    Args:
        layer: The layer.
        input_shape: Shape of the input, or list of shapes; None for sizes left open.
    """
    assert layer.traced is not None
    layer.build(input_shape)
    outputs = []
    for size in (2, 3):
        arrays: Any = [
            np.zeros([size if each is None else each for each in shape], np.float32)
            for shape in (input_shape if _is_listed(input_shape) else [input_shape])
        ]
        outputs.append(layer.traced.infer(arrays if _is_listed(input_shape) else arrays[0]))
    shapes = [
        tuple(a if a == b else None for a, b in zip(one.shape, other.shape, strict=True))
        for one, other in zip(flatten(outputs[0]), flatten(outputs[1]), strict=True)
    ]
    return shapes if isinstance(outputs[0], list) else shapes[0]


def _is_listed(input_shape: Any) -> bool:
    return any(isinstance(each, list | tuple) for each in input_shape)


def _plain_outputs(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain_outputs(each) for each in value]
    return np.ascontiguousarray(np.asarray(value), dtype=np.float32)


@contextmanager
def as_traced(weights: Mapping[int, Any], training: bool) -> Iterator[None]:
    """Let traced arrays stand for weights in the calls of layers, within a `with` block.

    Args:
        weights: The arrays, by the ids of the variables.
        training: Whether dropout is active in layers whose call does not say it.
    """
    before = vars(_now).copy()
    _now.weights, _now.training = weights, training
    try:
        yield
    finally:
        vars(_now).clear()
        vars(_now).update(before)


@contextmanager
def attributes_traced(layer: Any, applies: bool = True) -> Iterator[None]:
    """Put traced arrays in place of the weights that are attributes of layers of the user's.

    Args:
        layer: The layer; those inside that are traced as well are included.
        applies: False to leave all as it is.
    """
    before: list[tuple[dict[str, Any], str, Any]] = []
    owners = [layer] if applies else []
    for owner in owners:
        owners += [each for each in owner._sublayers() if each.traced and each not in owners]
        for name, value in list(vars(owner).items()):
            if name not in ("_weights", "traced") and any(
                isinstance(each, Variable) for each in _entries(value)
            ):
                attributes = owner.__dict__
                before.append((attributes, name, value))
                attributes[name] = with_traced(value)
    try:
        yield
    finally:
        for attributes, name, value in before:
            attributes[name] = value


def _entries(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    return list(value.values()) if isinstance(value, dict) else [value]


def with_traced(value: Any) -> Any:
    """Return the traced array that stands for a weight, its value if none does.

    Args:
        value: A weight, or lists and dicts with weights; other values stay as they are.
    """
    if isinstance(value, Variable):
        return _now.weights.get(id(value), value.value)
    if isinstance(value, dict):
        return {name: with_traced(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(with_traced(each) for each in value)
    return value
