"""Derivatives that are cheaper than those of autograd: one step of the trace, few arrays.

Autograd's derivative of tanh takes the hyperbolic cosine of each element; that of a sum repeats the
gradient in memory; a softmax is four steps, and the gradient of a weight in `x @ w` one product for
each sample. What scripts write most is therefore given its derivative here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn import _core
from fastrnn.tracing import is_traced, namespace

Function = Callable[..., Any]


def with_derivative(*backwards: Function) -> Callable[[Function], Function]:
    """Give a function of arrays its derivative.

    Args:
        backwards: For each of the first arguments: takes the gradient of the result, the result and
            all arguments; returns the gradient of the argument. They use operators and `namespace`,
            so that they can be traced too.

    Returns:
        Decorator of a function on plain arrays, which then takes traced ones too.
    """

    def decorate(function: Function) -> Function:
        made: list[Function] = []  # the operation of autograd, which is imported when needed

        def call(*args: Any, **kwargs: Any) -> Any:
            if not is_traced(*args[: len(backwards)]):
                return function(*args, **kwargs)
            if not made:
                made.append(_operation(function, backwards))
            return made[0](*args, **kwargs)

        return call

    return decorate


def _operation(function: Function, backwards: tuple[Function, ...]) -> Function:
    from autograd.extend import defvjp, primitive

    def maker(backward: Function) -> Function:
        def make(y: Any, *args: Any, **kwargs: Any) -> Function:
            return lambda d_y: backward(d_y, y, *args, **kwargs)

        return make

    operation: Function = primitive(function)
    defvjp(operation, *map(maker, backwards))
    return operation


@with_derivative(lambda d_y, y, x: d_y * (1 - y * y))
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangents of floats."""
    return np.tanh(x)


@with_derivative(lambda d_y, y, x: d_y * (y * (1 - y)))
def sigmoid(x: Any) -> Any:
    """Return `1 / (1 + exp(-x))` of floats, without a power that could overflow."""
    return 0.5 * (np.tanh(0.5 * x) + 1.0)


@with_derivative(lambda d_y, y, x: d_y * (x + x))
def square(x: Any) -> Any:
    """Return the squares of numbers."""
    return x * x


def _softmax_back(d_y: Any, y: Any, x: Any, axis: Any) -> Any:
    weighted = d_y * y
    return weighted - y * namespace(weighted).sum(weighted, axis=axis, keepdims=True)


@with_derivative(_softmax_back)
def softmax(x: Any, axis: Any) -> Any:
    """Return exponentials of floats, divided by their sum over an axis."""
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _spread(d_y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Return the gradient of a sum for each element that went into it, without a copy."""
    shape = x.shape
    if axis is None:
        kept: tuple[int, ...] = (1,) * len(shape)
    else:
        axes = {each % len(shape) for each in (axis if isinstance(axis, tuple) else (axis,))}
        kept = tuple(1 if k in axes else size for k, size in enumerate(shape))
    xp = namespace(d_y)
    return xp.broadcast_to(d_y if keepdims else xp.reshape(d_y, kept), shape)


@with_derivative(lambda d_y, y, x, axis, keepdims: _spread(d_y, x, axis, keepdims))
def sum(x: Any, axis: Any, keepdims: bool) -> Any:
    """Return the sums over axes."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def _mean_back(d_y: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    parts = max(x.size // max(y.size, 1), 1)
    return _spread(d_y * np.float32(1 / parts), x, axis, keepdims)


@with_derivative(_mean_back)
def mean(x: Any, axis: Any, keepdims: bool) -> Any:
    """Return the means of floats over axes."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def _product_back_first(d_y: Any, y: Any, x: Any, w: Any) -> Any:
    xp = namespace(d_y, w)
    if w.shape[1] == 1:
        return d_y * xp.reshape(w, (-1,))
    if is_traced(d_y, w):
        return d_y @ w.T
    return _core.dense_forward(d_y, w.T, None, "linear")


def _product_back_second(d_y: Any, y: Any, x: Any, w: Any) -> Any:
    if is_traced(d_y, x):
        xp = namespace(d_y, x)
        rows, columns = w.shape
        return xp.reshape(x, (-1, rows)).T @ xp.reshape(d_y, (-1, columns))
    return _core.dense_backward(x, y, w, d_y, "linear", False, False)[1]


@with_derivative(_product_back_first, _product_back_second)
def product(x: Any, w: Any) -> Any:
    """Return the products of the last axis of floats with a matrix, by the kernel of Dense.

    NumPy multiplies one sample after the other, and with threads that wait for each other.
    """
    return _core.dense_forward(x, w, None, "linear")


def is_product(x: Any, w: Any) -> bool:
    """Return whether `product` multiplies two arrays: floats, the second a matrix that fits."""
    return bool(
        w.ndim == 2
        and x.ndim >= 2
        and x.shape[-1] == w.shape[0]
        and x.size
        and w.size
        and x.dtype == w.dtype == np.float32
    )
