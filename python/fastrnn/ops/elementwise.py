"""Functions of each element."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.ops import derivatives
from fastrnn.ops.describing import as_array, as_float, as_operand, named, op
from fastrnn.tracing import namespace, native, plain

_ERF = np.frompyfunc(math.erf, 1, 1)


def _of_floats(name: str, what: str, at: str, result: str) -> Callable[[Any], Any]:
    """Make the function of one array of floats that NumPy has under this name."""

    @op(f"{what} of each element.", f"ops.{name}({at})", result)
    @named(name, __name__)
    def function(x: Any) -> Any:
        x = as_float(x)
        return getattr(namespace(x), name)(x)

    return function


def _of_numbers(name: str, what: str, at: str, result: str) -> Callable[[Any], Any]:
    """Make the function of one array of any type that NumPy has under this name."""

    @op(what, f"ops.{name}({at})", result)
    @named(name, __name__)
    def function(x: Any) -> Any:
        x = as_array(x)
        return getattr(namespace(x), name)(x)

    return function


def _of_two(name: str, what: str, at: str, result: str) -> Callable[[Any, Any], Any]:
    """Make the function of two arrays that NumPy has under this name."""

    @op(what, f"ops.{name}({at})", result)
    @named(name, __name__)
    def function(x1: Any, x2: Any) -> Any:
        x1, x2 = as_operand(x1), as_operand(x2)
        if not hasattr(x1, "dtype") and not hasattr(x2, "dtype"):
            x1 = as_array(x1)
        return getattr(namespace(x1, x2), name)(x1, x2)

    return function


arccos = _of_floats("arccos", "Inverse cosine", "[1.0]", "array([0.], dtype=float32)")
arcsin = _of_floats("arcsin", "Inverse sine", "[0.0]", "array([0.], dtype=float32)")
arctan = _of_floats("arctan", "Inverse tangent", "[0.0]", "array([0.], dtype=float32)")
arcsinh = _of_floats("arcsinh", "Inverse hyperbolic sine", "[0.0]", "array([0.], dtype=float32)")
arccosh = _of_floats("arccosh", "Inverse hyperbolic cosine", "[1.0]", "array([0.], dtype=float32)")
arctanh = _of_floats("arctanh", "Inverse hyperbolic tangent", "[0.0]", "array([0.], dtype=float32)")
cos = _of_floats("cos", "Cosine", "[0.0]", "array([1.], dtype=float32)")
cosh = _of_floats("cosh", "Hyperbolic cosine", "[0.0]", "array([1.], dtype=float32)")
exp = _of_floats("exp", "Exponential", "[0.0]", "array([1.], dtype=float32)")
exp2 = _of_floats("exp2", "Power of two", "[3.0]", "array([8.], dtype=float32)")
expm1 = _of_floats("expm1", "Exponential minus 1", "[0.0]", "array([0.], dtype=float32)")
log = _of_floats("log", "Natural logarithm", "[1.0]", "array([0.], dtype=float32)")
log10 = _of_floats("log10", "Logarithm to base 10", "[1.0]", "array([0.], dtype=float32)")
log1p = _of_floats("log1p", "Logarithm of 1 + x", "[0.0]", "array([0.], dtype=float32)")
log2 = _of_floats("log2", "Logarithm to base 2", "[8.0]", "array([3.], dtype=float32)")
reciprocal = _of_floats("reciprocal", "Reciprocal", "[4.0]", "array([0.25], dtype=float32)")
sin = _of_floats("sin", "Sine", "[0.0]", "array([0.], dtype=float32)")
sinh = _of_floats("sinh", "Hyperbolic sine", "[0.0]", "array([0.], dtype=float32)")
sqrt = _of_floats("sqrt", "Square root", "[9.0]", "array([3.], dtype=float32)")
tan = _of_floats("tan", "Tangent", "[0.0]", "array([0.], dtype=float32)")

absolute = _of_numbers("absolute", "The absolute values.", "[-2, 3]", "array([2, 3])")
ceil = _of_floats("ceil", "Next integer above", "[1.2]", "array([2.], dtype=float32)")
floor = _of_floats("floor", "Next integer below", "[1.8]", "array([1.], dtype=float32)")
isfinite = _of_numbers(
    "isfinite", "Whether elements are finite.", "[1.0, float('inf')]", "array([ True, False])"
)
isinf = _of_numbers(
    "isinf", "Whether elements are infinite.", "[1.0, float('inf')]", "array([False,  True])"
)
isnan = _of_numbers(
    "isnan", "Whether elements are not a number.", "[1.0, float('nan')]", "array([False,  True])"
)
logical_not = _of_numbers(
    "logical_not", "Whether elements are False or 0.", "[True, False]", "array([False,  True])"
)
negative = _of_numbers(
    "negative", "The elements with the other sign.", "[2, -3]", "array([-2,  3])"
)
sign = _of_numbers("sign", "-1, 0 or 1, as elements are.", "[-5, 0, 2]", "array([-1,  0,  1])")

add = _of_two("add", "The sums.", "[1, 2], 3", "array([4, 5])")
arctan2 = _of_two("arctan2", "The angles of points.", "[0.0], [1.0]", "array([0.], dtype=float32)")
equal = _of_two("equal", "Whether elements are equal.", "[1, 2], 2", "array([False,  True])")
floor_divide = _of_two(
    "floor_divide", "The quotients, rounded down.", "[7, -7], 2", "array([ 3, -4])"
)
greater = _of_two("greater", "Whether the first is greater.", "[1, 3], 2", "array([False,  True])")
greater_equal = _of_two(
    "greater_equal", "Whether the first is not less.", "[1, 2], 2", "array([False,  True])"
)
less = _of_two("less", "Whether the first is less.", "[1, 3], 2", "array([ True, False])")
less_equal = _of_two(
    "less_equal", "Whether the first is not greater.", "[2, 3], 2", "array([ True, False])"
)
logaddexp = _of_two(
    "logaddexp",
    "The logarithms of sums of exponentials.",
    "[0.0], [-1e9]",
    "array([0.], dtype=float32)",
)
logical_and = _of_two(
    "logical_and", "Whether both are true.", "[True, False], True", "array([ True, False])"
)
logical_or = _of_two(
    "logical_or", "Whether one is true.", "[True, False], False", "array([ True, False])"
)
logical_xor = _of_two(
    "logical_xor", "Whether just one is true.", "[True, False], True", "array([False,  True])"
)
maximum = _of_two("maximum", "The larger elements.", "[1, 5], 3", "array([3, 5])")
minimum = _of_two("minimum", "The smaller elements.", "[1, 5], 3", "array([1, 3])")
mod = _of_two("mod", "The remainders, with the divisor's sign.", "[7, -7], 4", "array([3, 1])")
multiply = _of_two("multiply", "The products.", "[1, 2], 3", "array([3, 6])")
not_equal = _of_two("not_equal", "Whether elements differ.", "[1, 2], 2", "array([ True, False])")
subtract = _of_two("subtract", "The differences.", "[1, 2], 3", "array([-2, -1])")


@op("The quotients.", "ops.divide([1.0, 3.0], 2)", "array([0.5, 1.5], dtype=float32)")
def divide(x1: Any, x2: Any) -> Any:
    x1 = as_float(x1)
    x2 = as_operand(x2)
    return namespace(x1, x2).true_divide(x1, x2)


@op(
    "The quotients; 0 where the divisor is 0.",
    "ops.divide_no_nan([1.0, 3.0], [0.0, 2.0])",
    "array([0. , 1.5], dtype=float32)",
)
def divide_no_nan(x1: Any, x2: Any) -> Any:
    x1, x2 = as_float(x1), as_float(x2)
    numpy = namespace(x1, x2)
    zero = numpy.equal(x2, 0)
    return numpy.where(zero, 0.0, x1 / numpy.where(zero, 1.0, x2))


@op("The powers.", "ops.power([2.0, 3.0], 2)", "array([4., 9.], dtype=float32)")
def power(x1: Any, x2: Any) -> Any:
    x1, x2 = as_array(x1), as_operand(x2)
    return namespace(x1, x2).power(x1, x2)


@op("The squares.", "ops.square([2, -3])", "array([4, 9])")
def square(x: Any) -> Any:
    return derivatives.square(as_array(x))


@op("Hyperbolic tangent of each element.", "ops.tanh([0.0])", "array([0.], dtype=float32)")
def tanh(x: Any) -> Any:
    return derivatives.tanh(as_float(x))


@op("The reciprocals of square roots.", "ops.rsqrt([4.0])", "array([0.5], dtype=float32)")
def rsqrt(x: Any) -> Any:
    x = as_float(x)
    return 1.0 / namespace(x).sqrt(x)


@op(
    "The elements, at least `x_min` and at most `x_max`.",
    "ops.clip([-1.0, 0.5, 3.0], 0, 1)",
    "array([0. , 0.5, 1. ], dtype=float32)",
    x_min="The smallest.",
    x_max="The largest.",
)
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    x, x_min, x_max = as_array(x), as_operand(x_min), as_operand(x_max)
    numpy = namespace(x, x_min, x_max)
    return numpy.minimum(numpy.maximum(x, x_min), x_max)


@op(
    "The elements, rounded to decimals.",
    "ops.round([1.26], 1)",
    "array([1.3], dtype=float32)",
    decimals="How many.",
)
def round(x: Any, decimals: int = 0) -> Any:
    x = as_array(x)
    return namespace(x).round(x, decimals)


@op(
    "Elements of `x1` where the condition holds, else of `x2`.",
    "ops.where([True, False], [1, 2], 0)",
    "array([1, 0])",
    x2="Second array, or a number.",
)
def where(condition: Any, x1: Any, x2: Any) -> Any:
    condition, x1, x2 = as_array(condition), as_operand(x1), as_operand(x2)
    if not hasattr(x1, "dtype") and not hasattr(x2, "dtype"):
        x1 = as_array(x1)
    if not hasattr(x1, "dtype"):
        x1 = _as_type_of(x1, x2)
    if not hasattr(x2, "dtype"):
        x2 = _as_type_of(x2, x1)
    return namespace(condition, x1, x2).where(condition, x1, x2)


def _as_type_of(number: Any, array: Any) -> Any:
    """Return a number in the type of an array; a float beside integers stays a float."""
    is_fraction = isinstance(number, float) and array.dtype.kind != "f"
    return np.asarray(number, np.float32 if is_fraction else array.dtype)


@op(
    "The array without a gradient.",
    "ops.stop_gradient([1.0])",
    "array([1.], dtype=float32)",
    variable="Array.",
)
def stop_gradient(variable: Any) -> Any:
    return plain(as_array(variable))


@op(
    "The error function.",
    "ops.erf([0.0, 1.0])",
    "array([0.       , 0.8427008], dtype=float32)",
)
def erf(x: Any) -> Any:
    def forward(x: Any) -> tuple[Any, Any]:
        return np.asarray(_ERF(x), np.float32), x

    return native(
        forward, lambda x, d: [d * np.exp(-x * x) * np.float32(2 / math.sqrt(math.pi))], as_float(x)
    )


@op(
    "Whether elements are equal within a tolerance.",
    "ops.isclose([1.0, 2.0], [1.0, 2.1])",
    "array([ True, False])",
    rtol="Tolerance, relative to the second.",
    atol="Tolerance.",
    equal_nan="Whether NaN is equal to NaN.",
)
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    return np.isclose(plain(as_array(x1)), plain(as_array(x2)), rtol, atol, equal_nan)


@op(
    "The elements with numbers in place of NaN and infinities.",
    "ops.nan_to_num([float('nan'), 1.0])",
    "array([0., 1.], dtype=float32)",
    nan="In place of NaN.",
    posinf="In place of infinity; by default the largest number.",
    neginf="In place of minus infinity; by default the smallest number.",
)
def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    x = as_float(x)
    limits = np.finfo(plain(x).dtype)
    numpy, known = namespace(x), plain(x)
    x = numpy.where(np.isnan(known), np.float32(nan), x)
    x = numpy.where(np.isposinf(known), np.float32(limits.max if posinf is None else posinf), x)
    return numpy.where(np.isneginf(known), np.float32(limits.min if neginf is None else neginf), x)


abs = absolute
true_divide = divide
