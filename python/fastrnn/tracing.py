"""Values and derivatives of functions that users write.

A function that is *traced* is called with arrays that remember what they were computed from. They
are those of HIPS autograd, which is imported here when a function is first traced. The functions of
`fastrnn.ops` take them, and so do NumPy's operators on them.

References:
    Maclaurin, Duvenaud & Adams (2015), "Autograd: effortless gradients in NumPy".
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastrnn import tensors
from fastrnn.results import Array
from fastrnn.table_gradient import TableGradient

Pullback = Callable[[Any], tuple[np.ndarray, ...]]


class _Running(threading.local):
    """What runs in a thread.

    Attributes:
        traces: How many traces.
        stand_ins: The arrays that stand for the values of weights, by the ids of these.
        complete: Whether all weights that have a gradient are among them.
        masks: Arrays with their masks, by the ids of the arrays.
    """

    traces = 0
    stand_ins: Mapping[int, Any] = {}
    complete = False
    masks: Mapping[int, tuple[Any, Any]] = {}


_running = _Running()

STANDING_TYPES: list[type] = []
"""Classes for whose objects traced arrays may stand; they have the attributes of a traced array."""


def is_traced(*values: Any) -> bool:
    """Tell whether one of the values, or an entry of a list among them, is traced.

    Args:
        values: Any values.
    """
    tracer = sys.modules.get("autograd.tracer")
    if tracer is None:  # nothing can be
        return False
    return any(
        is_traced(*value)
        if isinstance(value, list | tuple)
        else tracer.isbox(value) and value._trace >= 0
        for value in values
    )


def was_traced() -> bool:
    """Tell whether anything was ever traced, so that traced arrays may be about."""
    return "autograd.tracer" in sys.modules


def is_tracing() -> bool:
    """Tell whether a trace runs in this thread."""
    return _running.traces > 0


@contextmanager
def masks_known(masks: Mapping[int, tuple[Any, Any]]) -> Iterator[None]:
    """Let `mask_of` find masks, within a `with` block.

    Args:
        masks: Arrays with their masks, by the ids of the arrays; more may come.
    """
    before = _running.masks
    _running.masks = masks
    try:
        yield
    finally:
        _running.masks = before


def mask_of(array: Any) -> Any:
    """Return the mask that a layer has made for an array, in the calls that run; or None.

    Args:
        array: An array, traced or not.
    """
    found = _running.masks.get(id(array))
    return None if found is None or found[0] is not array else found[1]


@contextmanager
def standing_for(arrays: Mapping[int, Any], complete: bool = False) -> Iterator[None]:
    """Let arrays stand for the values of weights in this thread, within a `with` block.

    Args:
        arrays: The arrays, by the ids of the weights. No others stand for weights in the block.
        complete: Whether a trained weight that is not among them is a mistake, not a constant.
    """
    before = _running.stand_ins, _running.complete
    _running.stand_ins, _running.complete = arrays, complete
    try:
        yield
    finally:
        _running.stand_ins, _running.complete = before


def stand_in(weight: Any) -> Any:
    """Return the array that stands for a weight; its value if none does.

    Args:
        weight: A weight.

    Raises:
        TypeError: If a trace needs the weight, and does not have it.
    """
    stand_ins: Any = _running.stand_ins
    found = stand_ins.get(id(weight))
    if found is not None:
        return found
    if hasattr(stand_ins, "stand_in"):  # of a tape, which makes them when they are needed
        return stand_ins.stand_in(weight)
    if _running.complete and _running.traces and weight.trainable:
        raise TypeError(
            f"Weight `{weight.path}` must be an attribute of its layer: a trace does not see it "
            "elsewhere, so it would get no gradient."
        )
    if not _running.traces and tensors.records():
        return tensors.tensor_of(weight)
    return weight.value


@contextmanager
def trace_runs() -> Iterator[None]:
    """Say within the block that a trace runs."""
    _running.traces += 1
    try:
        yield
    finally:
        _running.traces -= 1


def plain(value: Any) -> Any:
    """Return an array without its history.

    Args:
        value: An array, traced or not, a tensor, or a list or tuple of such.
    """
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    while is_traced(value):
        value = value._value
    return tensors.as_array(value) if tensors.is_tensor(value) else value


def namespace(*values: Any) -> Any:
    """Return the module with NumPy's functions that can take the values.

    Args:
        values: Arrays, or lists of them.

    Returns:
        `numpy`; `autograd.numpy` if one of the values is traced.
    """
    return sys.modules["autograd.numpy"] if is_traced(*values) else np


def chooser(*values: Any) -> Any:
    """Return the function `where` that can take the values.

    Args:
        values: Arrays, traced or not, or tensors.
    """
    if tensors.has_tensor(*values):
        return sys.modules["tensorflow"].where
    return namespace(*values).where


def has_history(value: Any) -> bool:
    """Return whether an array is traced, or a tensor while a tape records.

    Args:
        value: Any value.
    """
    return is_traced(value) or (tensors.is_tensor(value) and tensors.records())


def vjp(function: Callable[..., Any], *arrays: np.ndarray) -> tuple[Any, Pullback]:
    """Call a function; return its value and what turns a gradient of it into those of its inputs.

    Args:
        function: Takes the arrays, traced. Returns an array, or a list or tuple of arrays.
        arrays: Float32 arrays, or arrays of integers or booleans, which are not traced.

    Returns:
        The value without its history; and a function that takes a gradient of the form of the value
        and returns, for each of the arrays, a float32 gradient of its shape: zeros for those that
        are not traced.

    Example:
        >>> import numpy as np
        >>> value, pullback = vjp(lambda x, y: x * y, np.float32([2, 3]), np.float32([5, 7]))
        >>> value, pullback(np.ones(2, "float32"))[0]
        (array([10., 21.], dtype=float32), array([5., 7.], dtype=float32))
    """
    with recording() as record:
        boxes = [record.box(x) if np.asarray(x).dtype.kind == "f" else x for x in arrays]
        value = function(*boxes)
    several = isinstance(value, list | tuple)
    ends = list(value) if several else [value]

    def pullback(gradient: Any) -> tuple[np.ndarray, ...]:
        found = record.gradients(ends, gradient if several else [gradient], boxes)
        return tuple(as_gradient(each, array) for each, array in zip(found, arrays, strict=True))

    plain_values = [record.value(end) for end in ends]
    return type(value)(plain_values) if several else plain_values[0], pullback


class Record:
    """What is computed from some arrays, and the way back from any of it to them.

    Args:
        number: Number of the trace.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def box(self, array: Any) -> Any:
        """Return an array that remembers what is computed from it.

        Args:
            array: An array of floats; it may be one of another trace.
        """
        from autograd.core import VJPNode
        from autograd.tracer import new_box

        return new_box(array, self._number, VJPNode.new_root())

    def value(self, end: Any) -> Any:
        """Return what was computed, without its history in this record.

        Args:
            end: What was computed.
        """
        return end._value if self._has(end) else end

    def _has(self, value: Any) -> bool:
        return is_traced(value) and value._trace == self._number

    def gradients(self, ends: Sequence[Any], given: Sequence[Any], boxes: Sequence[Any]) -> Any:
        """Return the gradients of boxes, None for one that no end depends on.

        Args:
            ends: What was computed.
            given: The gradient of each; None for zeros.
            boxes: Results of `box`, or arrays that are not traced.
        """
        from autograd.core import add_outgrads
        from autograd.util import toposort

        found: dict[Any, Any] = {}
        for end, gradient in zip(ends, given, strict=True):
            if gradient is not None and self._has(end):
                found[end._node] = add_outgrads(found.get(end._node), gradient)
        if found:
            wanted = {box._node for box in boxes if self._has(box)}
            for node in toposort(_Ends(list(found))):
                if isinstance(node, _Ends) or node in wanted:
                    continue
                outgoing, _ = found.pop(node)
                for parent, incoming in zip(node.parents, node.vjp(outgoing), strict=True):
                    found[parent] = add_outgrads(found.get(parent), incoming)
        return [found.get(box._node, (None,))[0] if self._has(box) else None for box in boxes]


class _Ends:
    """Stands for a result that depends on all ends.

    Args:
        parents: The nodes of the ends.
    """

    __slots__ = ("parents",)

    def __init__(self, parents: list[Any]) -> None:
        self.parents = parents


@functools.cache
def _prepare() -> None:
    """Tell the library of the kinds of arrays that there are here."""
    from autograd.extend import Box
    from autograd.numpy.numpy_boxes import ArrayBox
    from autograd.numpy.numpy_vspaces import ArrayVSpace

    Box.types.update(STANDING_TYPES)
    for kind in (Array, TableGradient):
        ArrayBox.register(kind)
        ArrayVSpace.register(kind, ArrayVSpace)


@contextmanager
def recording() -> Iterator[Record]:
    """Record what is computed, within a `with` block."""
    _prepare()
    with trace_runs():
        # A trace inside another has a larger number. The library's own count is shared by threads.
        yield Record(_running.traces)


def native(
    forward: Callable[..., tuple[Any, Any]],
    backward: Callable[[Any, Any], Sequence[np.ndarray | None]],
    *inputs: Any,
) -> Any:
    """Call an operation that has a backward pass of its own, within a trace or outside of one.

    Args:
        forward: Takes the plain inputs; returns a value (an array) and a cache.
        backward: Takes the cache and the gradient of the value; returns the gradient of each input,
            or None where there is none.
        inputs: Arrays, traced or not, or tensors.

    Returns:
        The value, traced if an input is; a tensor if an input is one.
    """
    if tensors.has_tensor(*inputs):
        return tensors.native(forward, backward, *inputs)
    if not is_traced(*inputs):
        return forward(*inputs)[0]
    from autograd.extend import defvjp_argnums, primitive

    caches: list[Any] = []

    def call(*values: Any) -> Any:
        value, cache = forward(*values)
        caches.append(cache)
        return value

    operation = primitive(call)

    def make_pullback(numbers: Sequence[int], value: Any, args: Any, kwargs: Any) -> Any:
        cache = caches.pop()

        def pullback(gradient: Any) -> Any:
            gradients = backward(cache, gradient)
            return (
                np.zeros_like(args[number]) if gradients[number] is None else gradients[number]
                for number in numbers
            )

        return pullback

    defvjp_argnums(operation, make_pullback)
    return operation(*inputs)


def as_gradient(gradient: Any, array: np.ndarray) -> np.ndarray:
    """Return a gradient as float32, of the shape of its array; zeros for None.

    Args:
        gradient: The gradient, which may be a single number for all elements; or None.
        array: What it is the gradient of.
    """
    if gradient is None:
        return np.zeros(np.shape(array), np.float32)
    if isinstance(gradient, TableGradient) and gradient.shape == array.shape:
        return gradient
    # `ascontiguousarray` would give a single number one dimension.
    return np.asarray(np.broadcast_to(gradient, np.shape(array)), dtype=np.float32, order="C")
