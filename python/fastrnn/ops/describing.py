"""How the functions of `fastrnn.ops` take arrays and are documented."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

import numpy as np

from fastrnn.results import with_numpy
from fastrnn.symbolic import KerasTensor, flatten, map_structure, operation, pack
from fastrnn.tensors import is_tensor, records
from fastrnn.tracing import is_traced, is_tracing, native, plain, vjp
from fastrnn.variable import Variable

F = TypeVar("F", bound=Callable[..., Any])

# What an argument of this name is, in every function that has it.
ARGUMENTS = {
    "x": "Array, or what NumPy makes one of.",
    "x1": "First array; broadcasts against the second.",
    "x2": "Second array, or a number.",
    "xs": "List of arrays.",
    "axis": "Axis; where several are allowed, a tuple of them, and None for all.",
    "keepdims": "Whether the axes stay, with size 1.",
    "shape": "Tuple of sizes.",
    "dtype": "Name of the element type.",
    "condition": "Booleans; broadcast against the arrays.",
    "indices": "Integers.",
    "axes": "Order of the axes.",
}


_OF_SHAPES = ("convert_to_numpy", "ndim", "shape", "size")
"""Functions whose results have no gradient; of a tensor they are no tensors."""


def as_array(x: Any) -> Any:
    """Return an array, float32 in place of float64. Traced arrays stay traced."""
    if isinstance(x, Variable):
        return x.current
    if is_traced(x):
        return x
    if is_tracing():
        x = _for_trace(x)
    array = np.asarray(x)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _for_trace(x: Any) -> Any:
    """Return an argument within a trace, unless its history would be lost."""
    if isinstance(x, np.ndarray | np.generic | bool | int | float | list | tuple | range):
        return x
    raise TypeError(
        "Functions of `fastrnn.ops` cannot be mixed with those of another library. "
        f"Received: an argument of type {type(x).__module__}.{type(x).__name__}"
    )


def as_operand(x: Any) -> Any:
    """Return an array, or a Python number as it is: it takes the type of the other operand."""
    return x if type(x) in (bool, int, float) else as_array(x)


def as_float(x: Any) -> Any:
    """Return an array of floats."""
    array = as_array(x)
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def op(summary: str, example: str, result: str, raises: str = "", **about: str) -> Callable[[F], F]:
    """Document a function of `fastrnn.ops`; make its results float32 that have `numpy()`.

    Args:
        summary: What it returns, one sentence.
        example: An expression in names of `ops`.
        result: What Python prints for it.
        raises: Which error it raises, and when.
        about: What an argument is, where `ARGUMENTS` does not say it.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if _is_symbolic(args) or (kwargs and _is_symbolic(kwargs.values())):
                return operation(wrapped.__name__, *args, **kwargs)
            if records() and _is_taped(args, kwargs):
                if wrapped.__name__ not in _OF_SHAPES:
                    return _on_tensors(wrapped, args, kwargs)
                args, kwargs = map_structure(_values, (args, dict(kwargs)))
            value = function(*args, **kwargs)
            if is_traced(value):
                return value
            if isinstance(value, list | tuple):
                return value if is_tracing() else with_numpy(value)
            if isinstance(value, np.ndarray) and value.ndim == 0:
                value = value[()]
            if getattr(value, "dtype", None) == np.float64:
                value = value.astype(np.float32)
            return value if is_tracing() else with_numpy(value)

        lines = "\n".join(
            f"    {name}: {about.get(name) or ARGUMENTS[name]}"
            for name in signature(function).parameters
        )
        arguments = f"Args:\n{lines}\n\n" if lines else ""
        shown = result.replace("\n", "\n    ")
        errors = f"Raises:\n    {raises}\n\n" if raises else ""
        wrapped.__doc__ = (
            f"{summary}\n\n{arguments}"
            f"Returns:\n    The result, traced if an argument is.\n\n{errors}"
            f"Example:\n    >>> from fastrnn import ops\n    >>> {example}\n    {shown}\n"
        )
        return wrapped  # type: ignore[return-value]

    return decorate


def _values(leaf: Any) -> Any:
    return plain(leaf) if is_tensor(leaf) else leaf


def _is_taped(args: Any, kwargs: Any) -> bool:
    """Return whether a tape of TensorFlow may follow one of the arguments."""
    return any(
        is_tensor(leaf) or isinstance(leaf, Variable) for leaf in flatten((args, dict(kwargs)))
    )


def _on_tensors(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a function of arrays on tensors of TensorFlow, as one operation on its tapes."""
    form = args, kwargs
    leaves = flatten(form)
    places = [n for n, leaf in enumerate(leaves) if is_tensor(leaf) or isinstance(leaf, Variable)]
    is_list = False

    def called(*arrays: Any) -> Any:
        nonlocal is_list
        given = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            given[place] = array
        args, kwargs = pack(form, given)
        value = function(*args, **kwargs)
        is_list = isinstance(value, list)
        return tuple(value) if is_list else value

    def forward(*arrays: Any) -> Any:
        if all(array.dtype.kind != "f" for array in arrays):
            return plain(called(*arrays)), None
        return vjp(called, *arrays)

    tensors = [
        leaf.current if isinstance(leaf, Variable) else leaf
        for leaf in map(leaves.__getitem__, places)
    ]
    value = native(forward, lambda pullback, gradient: pullback(gradient), *tensors)
    return list(value) if is_list else value


def _is_symbolic(values: Iterable[Any]) -> bool:
    """Return whether one of the arguments, or an entry of a list among them, is symbolic."""
    for value in values:  # the loop is in the way of every call: plain and fast
        kind = type(value)
        if kind is KerasTensor:
            return True
        if (kind is list or kind is tuple) and _is_symbolic(value):
            return True
    return False


def named(name: str, module: str) -> Callable[[F], F]:
    """Give a function that is made by another its name and module."""

    def decorate(function: F) -> F:
        function.__name__ = function.__qualname__ = name
        function.__module__ = module
        return function

    return decorate
