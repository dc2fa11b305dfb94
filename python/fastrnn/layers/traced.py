"""Layers that have a `call` and no `forward` and `backward`: their derivative comes from a trace.

Within a trace a layer's weights are traced arrays in place of its attributes. Layers of fastrnn
that it calls run their own passes, as one operation of the trace each.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastrnn.differentiable import Differentiable
from fastrnn.layers.attributes import all_inside, attributes_traced
from fastrnn.layers.calls import Call, entered, extras_of, leave_extras, warn_of_lost_mask
from fastrnn.layers.overrides import is_of_fastrnn
from fastrnn.symbolic import KerasTensor, Node, flatten, has_symbolic, map_structure
from fastrnn.tensors import is_tensor
from fastrnn.tracing import Pullback, is_traced, plain, standing_for
from fastrnn.variable import Variable

FORM = "form of the call"
"""The option of a call on symbolic tensors that says where in the arguments they stand."""


NOT_GIVEN = object()
"""Stands for the first argument of a call where it has a name."""


def first_argument(layer: Any, kwargs: dict[str, Any]) -> Any:
    """Take the first argument of a call out of those with a name.

    Args:
        layer: The layer.
        kwargs: The arguments of the call by name; loses the first one.

    Raises:
        TypeError: If it is not there.
    """
    name = next(iter(inspect.signature(layer.call).parameters)) if layer.is_own_call else "inputs"
    if name not in kwargs:
        raise TypeError(
            f"Layer '{layer.name}' must be called on `{name}`. "
            f"Received: the arguments {sorted(kwargs)}"
        )
    return kwargs.pop(name)


class _Slot:
    """Stands for an input among the arguments of a call.

    Args:
        number: Which input.
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<input {self.number}>"


class Cache(NamedTuple):
    """What `TracedCall.forward` keeps for `backward`.

    Attributes:
        pullback: From the gradients of the outputs, and of the loss, to those of the traced inputs
            and weights.
        shapes: Shapes of the outputs.
        several: Whether the outputs, or an output and a loss, came in a tuple.
        with_loss: Whether `add_loss` was called.
        inputs: How many inputs there are.
        listed: Whether they stand in a list.
        floats: Which inputs were traced.
        weights: How many weights there are.
        trained: Which weights were traced.
    """

    pullback: Pullback
    shapes: list[tuple[int, ...]]
    several: bool
    with_loss: bool
    inputs: int
    listed: bool
    floats: list[int]
    weights: int
    trained: list[int]


class TracedCall:
    """The way into a layer's `call`: forward with a tape, backward, or forward alone.

    Args:
        layer: The layer.
    """

    def __init__(self, layer: Any) -> None:
        self.is_own = not is_of_fastrnn(
            next(cls for cls in type(layer).__mro__ if "call" in vars(cls))
        )
        signature = inspect.signature(type(layer).call)
        own = list(signature.parameters.values())[1:]
        self._signature = signature.replace(parameters=own)
        self._parameters = self._signature.parameters
        self._takes_rest = any(each.kind is each.VAR_KEYWORD for each in own)
        self.uses_mask = "mask" in self._parameters
        self._layer = layer
        self._function: Any = None
        self._differentiable = Differentiable(
            lambda *arrays: self._function(*arrays), f"Layer '{layer.name}'"
        )

    # --------------------------------------------------------------------------- from the graph

    def infer(self, x: Any, training: bool | None = False, mask: Any = None, **options: Any) -> Any:
        """Return the layer's outputs without a trace.

        Args:
            x: Array, or list of arrays.
            training: Whether dropout is active.
            mask: The mask of x; of a list a list, with None for an array without.
            options: Further arguments of the call.
        """
        with standing_for({}):
            call, value = self._from_graph(x, training, mask, options)
        self._forget_losses(call)
        outputs = flatten(value)
        leave_extras(extras_of(call, outputs))
        found = [as_output(each) for each in outputs]
        return found if isinstance(value, list | tuple | Mapping) else found[0]

    def forward(
        self, x: Any, training: bool = False, mask: Any = None, **options: Any
    ) -> tuple[Any, Cache]:
        """Return the layer's outputs and what `backward` needs; the arguments are `infer`'s."""
        listed = isinstance(x, list)
        inputs = x if listed else [x]
        floats = [number for number, each in enumerate(inputs) if each.dtype.kind == "f"]
        weights = self._layer.weights
        trained = [number for number, each in enumerate(weights) if each.trainable]
        ended: list[tuple[Call, Any]] = []

        def function(*arrays: Any) -> Any:
            values = list(inputs)
            for number, array in zip(floats, arrays, strict=False):
                values[number] = array
            traced = arrays[len(floats) :]
            standing = {id(weights[n]): array for n, array in zip(trained, traced, strict=True)}
            with standing_for(standing, complete=True), attributes_traced(self._layer):
                call, value = self._from_graph(
                    values if listed else values[0], training, mask, options
                )
                outputs = [current(each) for each in flatten(value)]
            ended[:] = [(call, value)]
            leave_extras(extras_of(call, flatten(value)))
            if call.losses:
                return (*outputs, sum(call.losses))
            return outputs if isinstance(value, list | tuple | Mapping) else outputs[0]

        self._function = function
        found, pullback = self._differentiable.vjp(
            *(inputs[number] for number in floats), *(weights[number].value for number in trained)
        )
        ((call, value),) = ended
        self._forget_losses(call)
        several = isinstance(found, list | tuple)
        outputs = [as_output(each) for each in (found if several else [found])]
        if call.losses:
            outputs.pop()
        cache = Cache(
            pullback,
            [each.shape for each in outputs],
            several,
            bool(call.losses),
            len(inputs),
            listed,
            floats,
            len(weights),
            trained,
        )
        return outputs if isinstance(value, list | tuple | Mapping) else outputs[0], cache

    def backward(self, cache: Cache, d_y: Any) -> tuple[Any, list[np.ndarray | None]]:
        """Return the gradients of the input (a list if it was one) and of the weights.

        Args:
            cache: What `forward` returned.
            d_y: Gradient with respect to the output; of several a list.
        """
        d_outputs = [
            np.zeros(shape, np.float32) if d is None else d
            for d, shape in zip(flatten(d_y), cache.shapes, strict=True)
        ]
        if cache.with_loss:
            d_outputs.append(np.float32(1))
        found = iter(cache.pullback(d_outputs if cache.several else d_outputs[0]))
        d_inputs: list[np.ndarray | None] = [None] * cache.inputs
        d_weights: list[np.ndarray | None] = [None] * cache.weights
        for number in cache.floats:
            d_inputs[number] = next(found)
        for number in cache.trained:
            d_weights[number] = next(found)
        return d_inputs if cache.listed else d_inputs[0], d_weights

    def _forget_losses(self, call: Call) -> None:
        """Let go what was added to the loss, which keeps a trace alive."""
        if call.losses:
            for layer in all_inside(self._layer):
                layer._added = []

    def _from_graph(
        self, x: Any, training: bool | None, mask: Any, options: Mapping[str, Any]
    ) -> tuple[Call, Any]:
        kwargs = dict(options)
        form = kwargs.pop(FORM, None)
        args: Any = (x,)
        leaves = x if isinstance(x, list) else [x]
        masks = mask if isinstance(mask, list | tuple) else [mask]
        if form is not None:
            args, more = map_structure(
                lambda leaf: leaves[leaf.number] if isinstance(leaf, _Slot) else leaf, form
            )
            kwargs |= more
            if kwargs.get("mask") is not None:
                kwargs["mask"] = map_structure(_as_mask, kwargs["mask"])
        return self.run(args, kwargs, training, None, list(zip(leaves, masks, strict=False)))

    # ----------------------------------------------------------------------------- the call itself

    def run(
        self,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        training: bool | None,
        outer: Call | None,
        masks: Sequence[tuple[Any, Any]] = (),
    ) -> tuple[Call, Any]:
        """Call `call` on arrays, traced or not; fill in `training` and masks as Keras does.

        Args:
            args: Positional arguments.
            kwargs: Keyword arguments.
            training: Whether dropout is active, where the arguments do not say it.
            outer: The call around it, or None.
            masks: Arrays with their masks.

        Returns:
            The call, which has ended, and what it returned.
        """
        layer = self._layer
        kwargs = dict(kwargs)
        if not self._takes_rest:  # all layers may be told these
            for name in ("training", "mask"):
                if name in kwargs and name not in self._parameters:
                    own = kwargs.pop(name)
                    training = own if name == "training" and own is not None else training
        bound = self._signature.bind(*args, **kwargs)
        given = bound.arguments
        if (said := self._said(given)) is not None:
            training = said
        if (parameter := self._parameters.get("training")) is not None:
            if training is None and parameter.default is not parameter.empty:
                training = parameter.default
            if training is not None:
                given["training"] = training
        with entered(layer, training, outer) as call:
            for array, own in masks:
                call.set_mask(array, own)
            first = next(iter(given.values()), None)
            previous = self._fill_masks(call, given)
            if previous is None:
                previous = map_structure(call.mask_of, first)
            value = layer.call(*bound.args, **bound.kwargs)
        outputs = flatten(value)
        masked = any(each is not None for each in flatten(previous))
        if layer.supports_masking:
            above = layer.compute_mask(map_structure(plain, first), previous if masked else None)
            for output, own in zip(outputs, flatten(above), strict=False):
                call.set_mask(output, own)
        elif masked and any(call.mask_of(output) is None for output in outputs):
            warn_of_lost_mask(layer)
        return call, value

    def _said(self, given: Mapping[str, Any]) -> Any:
        """Return what the arguments say about `training`, also those that are only passed on."""
        for name, parameter in self._parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                given = {**given, **given.get(name, {})}
        return given.get("training")

    def _fill_masks(self, call: Call, given: dict[str, Any]) -> Any:
        """Fill in the masks that the arguments do not give; return that of the first one."""
        tensors = {
            name: value
            for name, value in given.items()
            if name not in ("training", "mask") and any(map(is_array, flatten(value)))
        }
        if "mask" in self._parameters and given.get("mask") is None and len(tensors) == 1:
            (only,) = tensors.values()
            mask = map_structure(call.mask_of, only)
            if any(each is not None for each in flatten(mask)):
                given["mask"] = mask
        if len(tensors) > 1:
            for name, value in tensors.items():
                own = f"{name}_mask"
                if own in self._parameters and given.get(own) is None:
                    given[own] = map_structure(call.mask_of, value)
        return given.get("mask")

    # ------------------------------------------------------------------------------ on symbols

    def build(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], open_batch: bool = True
    ) -> None:
        """Build the layer for the shapes of what it is called on, as Keras does.

        A `build` of one argument gets the shape of the first tensor, or list of tensors; one of
        several, such as `query_shape` and `value_shape`, those of the arguments of the call.

        Args:
            args: Positional arguments, with symbolic tensors for arrays.
            kwargs: Keyword arguments.
            open_batch: Whether to leave the size of the batch open.
        """
        layer = self._layer
        if layer.built:
            return
        kwargs = {name: each for name, each in kwargs.items() if name not in ("training", "mask")}
        given = self._signature.bind(*args, **kwargs).arguments
        keep_batch = layer.stateful or not open_batch
        shapes = {
            f"{name}_shape": map_structure(
                lambda tensor: tensor.shape if keep_batch else (None, *tensor.shape[1:]), value
            )
            for name, value in given.items()
            if name not in ("training", "mask") and has_symbolic(value)
        }
        wanted = list(inspect.signature(type(layer).build).parameters)[1:]
        if len(wanted) > 1:
            layer.build(**{name: shape for name, shape in shapes.items() if name in wanted})
        else:
            layer.build_own(next(iter(shapes.values()), None))

    def node_of_call(self, inputs: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Node:
        """Return the record of a call on symbolic tensors, which may be any of its arguments.

        Args:
            inputs: The first argument.
            args: Further positional arguments.
            kwargs: Keyword arguments.

        Raises:
            TypeError: If they are not arguments of `call`.
        """
        named = dict(kwargs)
        training = named.pop("training", None)
        if named.get("mask") is None or not (self.uses_mask or self._takes_rest):
            named.pop("mask", None)
        self._signature.bind(inputs, *args, **named)
        simple = not has_symbolic(*args, *named.values()) and not args
        if simple and isinstance(inputs, KerasTensor):
            arguments = (inputs,), dict(kwargs)
            return Node(self._layer, (inputs,), False, training, None, named, arguments)
        tensors: list[KerasTensor] = []

        def slot(leaf: Any) -> Any:
            if not isinstance(leaf, KerasTensor):
                return leaf
            tensors.append(leaf)
            return _Slot(len(tensors) - 1)

        form = map_structure(slot, ((inputs, *args), named))
        node = Node(self._layer, tuple(tensors), True, training, None, {FORM: form})
        node.arguments = (inputs, *args), dict(kwargs)
        return node


def is_array(value: Any) -> bool:
    """Return whether a value is an array, traced or not, or a tensor.

    Args:
        value: Any value.
    """
    return isinstance(value, np.ndarray) or is_traced(value) or is_tensor(value)


def as_output(value: Any) -> np.ndarray:
    """Return what a call returned as a float32 array without history.

    Args:
        value: An array, traced or not, a number, or a weight.
    """
    array = np.asarray(plain(current(value)))
    return np.asarray(array, dtype=np.float32, order="C")


def current(value: Any) -> Any:
    """Return the traced array that stands for a weight, its value if none does.

    Args:
        value: The weight; anything else stays as it is.
    """
    return value.current if isinstance(value, Variable) else value


def _as_mask(value: Any) -> Any:
    return None if value is None else np.asarray(plain(value), np.bool_)
