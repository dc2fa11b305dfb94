"""Sums, means, extremes and the like, along axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.ops import derivatives
from fastrnn.ops.creation import cast
from fastrnn.ops.describing import as_array, as_float, op
from fastrnn.ops.elementwise import isclose
from fastrnn.tracing import is_traced, namespace, native, plain

TABLE = "[[1.0, 2.0], [3.0, 5.0]]"


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


@op("The sums.", f"ops.sum({TABLE}, axis=0)", "array([4., 7.], dtype=float32)")
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_array(x)
    return derivatives.sum(x, _axes(axis), keepdims)


@op("The means.", f"ops.mean({TABLE}, axis=0)", "array([2. , 3.5], dtype=float32)")
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return derivatives.mean(as_float(x), _axes(axis), keepdims)


@op("The variances.", f"ops.var({TABLE}, axis=0)", "array([1.  , 2.25], dtype=float32)")
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_float(x)
    centred = x - namespace(x).mean(x, axis=_axes(axis), keepdims=True)
    return namespace(x).mean(centred * centred, axis=_axes(axis), keepdims=keepdims)


@op("The standard deviations.", f"ops.std({TABLE}, axis=0)", "array([1. , 1.5], dtype=float32)")
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    variance = as_array(var(x, axis, keepdims))
    return namespace(variance).sqrt(variance)


@op(
    "The largest elements.",
    f"ops.max({TABLE}, axis=0)",
    "array([3., 5.], dtype=float32)",
    initial="What the result is at least.",
)
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    x = as_array(x)
    numpy = namespace(x)
    found = numpy.max(x, axis=_axes(axis), keepdims=keepdims)
    return found if initial is None else numpy.maximum(found, initial)


@op(
    "The smallest elements.",
    f"ops.min({TABLE}, axis=0)",
    "array([1., 2.], dtype=float32)",
    initial="What the result is at most.",
)
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    x = as_array(x)
    numpy = namespace(x)
    found = numpy.min(x, axis=_axes(axis), keepdims=keepdims)
    return found if initial is None else numpy.minimum(found, initial)


@op("The products.", f"ops.prod({TABLE}, axis=0)", "array([ 3., 10.], dtype=float32)")
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: str | None = None) -> Any:
    x = as_array(x) if dtype is None else cast(x, dtype)
    if not is_traced(x):
        return x.prod(axis=_axes(axis), keepdims=keepdims)
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(_axes(axis)) % x.ndim)

    def backward(x: Any, gradient: Any) -> list[Any]:
        # Each factor's slope is the product of the others. The result divided by the factor would
        # be that too, but for zeros.
        ends = range(-len(axes), 0)
        moved = np.moveaxis(x, axes, ends)
        flat = moved.reshape(*moved.shape[: x.ndim - len(axes)], -1)
        one = np.ones_like(flat[..., :1])
        before = np.cumprod(np.concatenate([one, flat[..., :-1]], -1), -1)
        after = np.cumprod(np.concatenate([one, flat[..., :0:-1]], -1), -1)[..., ::-1]
        others = np.moveaxis((before * after).reshape(moved.shape), ends, axes)
        return [others * (gradient if keepdims else np.expand_dims(gradient, axes))]

    return native(lambda x: (x.prod(axis=axes, keepdims=keepdims), x), backward, x)


@op(
    "The logarithms of the sums of exponentials, without overflow.",
    "ops.logsumexp([1000.0, 0.0])",
    "np.float32(1000.0)",
)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_float(x)
    numpy = namespace(x)
    top = plain(x).max(axis=_axes(axis), keepdims=True)
    total = numpy.log(numpy.sum(numpy.exp(x - top), axis=_axes(axis), keepdims=True)) + top
    return total if keepdims else numpy.squeeze(total, _axes(axis))


@op("Whether all elements are true.", "ops.all([True, False])", "np.False_")
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return plain(as_array(x)).all(axis=_axes(axis), keepdims=keepdims)


@op("Whether any element is true.", "ops.any([True, False])", "np.True_")
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return plain(as_array(x)).any(axis=_axes(axis), keepdims=keepdims)


@op("The positions of the largest elements.", f"ops.argmax({TABLE}, axis=1)", "array([1, 1])")
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return plain(as_array(x)).argmax(axis=axis, keepdims=keepdims)


@op("The positions of the smallest elements.", f"ops.argmin({TABLE}, axis=1)", "array([0, 0])")
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return plain(as_array(x)).argmin(axis=axis, keepdims=keepdims)


@op(
    "How many elements are not 0.",
    "ops.count_nonzero([1, 0, 2])",
    "np.int64(2)",
)
def count_nonzero(x: Any, axis: Any = None) -> Any:
    return np.sum(plain(as_array(x)) != 0, axis=_axes(axis))


@op("The sums up to each element.", "ops.cumsum([1, 2, 3])", "array([1, 3, 6])")
def cumsum(x: Any, axis: Any = None, dtype: str | None = None) -> Any:
    x = as_array(x) if dtype is None else cast(x, dtype)
    return namespace(x).cumsum(x, axis=axis)


@op(
    "The means, weighted.",
    "ops.average([1.0, 4.0], weights=[2.0, 1.0])",
    "np.float32(2.0)",
    weights="Factor of each element; all alike by default.",
)
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    if weights is None:
        return mean(x, axis)
    x, weights = as_float(x), as_float(weights)
    if weights.ndim == 1 and x.ndim > 1:
        weights = weights.reshape([-1 if n == axis % x.ndim else 1 for n in range(x.ndim)])
    numpy = namespace(x, weights)
    weights = weights + np.zeros(x.shape, np.float32)
    return numpy.sum(x * weights, axis=_axes(axis)) / numpy.sum(weights, axis=_axes(axis))


@op(
    "Whether all elements are equal within a tolerance.",
    "ops.allclose([1.0], [1.0])",
    "True",
    rtol="Tolerance, relative to the second.",
    atol="Tolerance.",
    equal_nan="Whether NaN is equal to NaN.",
)
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    return bool(np.all(isclose(x1, x2, rtol, atol, equal_nan)))


@op(
    "The norms of vectors: the roots of sums of squares.",
    "ops.norm([3.0, 4.0])",
    "np.float32(5.0)",
    ord="None or 2 for Euclid's, 1 for the sum of absolute values.",
    raises="ValueError: If `ord` is another.",
)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_float(x)
    numpy = namespace(x)
    if ord == 1:
        return numpy.sum(numpy.abs(x), axis=_axes(axis), keepdims=keepdims)
    if ord not in (None, 2, "euclidean"):
        raise ValueError(f"`ord` must be None, 1 or 2. Received: ord={ord!r}")
    return numpy.sqrt(numpy.sum(x * x, axis=_axes(axis), keepdims=keepdims))


amax, amin = max, min
