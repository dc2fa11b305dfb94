"""Functions of neural networks: activations, normalizations, crossentropies."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.ops import derivatives
from fastrnn.ops.describing import as_array, as_float, op
from fastrnn.ops.elementwise import clip, erf
from fastrnn.ops.reductions import logsumexp, mean, var
from fastrnn.tracing import namespace, plain

SQRT_HALF = float(np.sqrt(0.5))
SQRT_HALF_PI = float(np.sqrt(2 / np.pi))
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@op("max(x, 0).", "ops.relu([-1.0, 2.0])", "array([0., 2.], dtype=float32)")
def relu(x: Any) -> Any:
    x = as_float(x)
    return namespace(x).where(plain(x) > 0, x, np.float32(0.0))


@op("max(x, 0), at most 6.", "ops.relu6([-1.0, 9.0])", "array([0., 6.], dtype=float32)")
def relu6(x: Any) -> Any:
    x = as_float(x)
    known = plain(x)
    inside = namespace(x).where((known > 0) & (known < 6), x, np.float32(0.0))
    return inside + np.where(known >= 6, np.float32(6.0), np.float32(0.0))


@op(
    "x, or x times the slope below 0.",
    "ops.leaky_relu([-1.0, 2.0])",
    "array([-0.2,  2. ], dtype=float32)",
    negative_slope="The slope.",
)
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    x = as_float(x)
    return namespace(x).where(plain(x) > 0, x, x * negative_slope)


@op(
    "x, or alpha (exp(x) - 1) below 0.",
    "ops.elu([0.0, 2.0])",
    "array([0., 2.], dtype=float32)",
    alpha="Minus the limit for x far below 0.",
)
def elu(x: Any, alpha: float = 1.0) -> Any:
    x = as_float(x)
    numpy = namespace(x)
    return numpy.where(plain(x) > 0, x, alpha * numpy.expm1(numpy.minimum(x, 0.0)))


@op(
    "The ELU with a scale that keeps mean and variance.",
    "ops.selu([0.0])",
    "array([0.], dtype=float32)",
)
def selu(x: Any) -> Any:
    return SELU_SCALE * as_array(elu(x, SELU_ALPHA))


@op("1 / (1 + exp(-x)).", "ops.sigmoid([0.0])", "array([0.5], dtype=float32)")
def sigmoid(x: Any) -> Any:
    return derivatives.sigmoid(as_float(x))


@op("log(1 / (1 + exp(-x))).", "ops.log_sigmoid([0.0])", "array([-0.6931472], dtype=float32)")
def log_sigmoid(x: Any) -> Any:
    x = as_float(x)
    return -namespace(x).logaddexp(-x, np.float32(0.0))


@op("x / 6 + 1/2, between 0 and 1.", "ops.hard_sigmoid([0.0])", "array([0.5], dtype=float32)")
def hard_sigmoid(x: Any) -> Any:
    return as_array(relu6(as_float(x) + 3.0)) * np.float32(1 / 6)


@op("log(1 + exp(x)).", "ops.softplus([0.0])", "array([0.6931472], dtype=float32)")
def softplus(x: Any) -> Any:
    x = as_float(x)
    return namespace(x).logaddexp(x, np.float32(0.0))


@op("x / (1 + abs(x)).", "ops.softsign([1.0])", "array([0.5], dtype=float32)")
def softsign(x: Any) -> Any:
    x = as_float(x)
    return x / (1.0 + namespace(x).abs(x))


@op("x sigmoid(x).", "ops.silu([0.0])", "array([0.], dtype=float32)")
def silu(x: Any) -> Any:
    x = as_float(x)
    return x * as_array(sigmoid(x))


@op(
    "x times the normal distribution function.",
    "ops.gelu([0.0])",
    "array([0.], dtype=float32)",
    approximate="Whether by an approximation with tanh, which takes less time.",
)
def gelu(x: Any, approximate: bool = True) -> Any:
    x = as_float(x)
    if not approximate:
        return 0.5 * x * (1.0 + as_array(erf(x * SQRT_HALF)))
    return 0.5 * x * (1.0 + namespace(x).tanh(SQRT_HALF_PI * (x + 0.044715 * x * x * x)))


@op(
    "Exponentials, divided by their sum.",
    "ops.softmax([0.0, 0.0])",
    "array([0.5, 0.5], dtype=float32)",
)
def softmax(x: Any, axis: Any = -1) -> Any:
    return derivatives.softmax(as_float(x), axis)


@op(
    "The logarithms of softmax.",
    "ops.log_softmax([0.0, 0.0])",
    "array([-0.6931472, -0.6931472], dtype=float32)",
)
def log_softmax(x: Any, axis: Any = -1) -> Any:
    x = as_float(x)
    return x - as_array(logsumexp(x, axis, True))


@op(
    "Vectors, divided by their length.",
    "ops.normalize([3.0, 4.0])",
    "array([0.6, 0.8], dtype=float32)",
    order="2, Euclid's length.",
    epsilon="The length is at least this.",
    raises="ValueError: If `order` is another.",
)
def normalize(x: Any, axis: int = -1, order: int = 2, epsilon: float | None = None) -> Any:
    if order != 2:
        raise ValueError(f"`order` must be 2. Received: order={order!r}")
    x = as_float(x)
    numpy = namespace(x)
    smallest = 1e-7 if epsilon is None else epsilon
    square = numpy.sum(x * x, axis=axis, keepdims=True)
    return x / numpy.sqrt(numpy.maximum(square, smallest * smallest))


@op(
    "The crossentropies of labels 0 and 1.",
    "ops.binary_crossentropy([1.0], [0.5])",
    "array([0.6931472], dtype=float32)",
    target="Labels.",
    output="Probabilities, or logits.",
    from_logits="Whether `output` holds logits.",
)
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    target, output = as_float(target), as_float(output)
    numpy = namespace(target, output)
    if from_logits:
        return numpy.logaddexp(output, np.float32(0.0)) - target * output
    p = numpy.minimum(numpy.maximum(output, np.float32(1e-7)), np.float32(1 - 1e-7))
    return -(target * numpy.log(p) + (1.0 - target) * numpy.log(1.0 - p))


@op(
    "The crossentropies of distributions.",
    "ops.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])",
    "array([0.6931472], dtype=float32)",
    target="Probabilities, such as one-hot labels.",
    output="Probabilities, or logits.",
    from_logits="Whether `output` holds logits.",
)
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    target, output = as_float(target), as_float(output)
    numpy = namespace(target, output)
    if from_logits:
        return -numpy.sum(target * as_array(log_softmax(output, axis)), axis=axis)
    p = output / numpy.sum(output, axis=axis, keepdims=True)
    p = numpy.minimum(numpy.maximum(p, np.float32(1e-7)), np.float32(1 - 1e-7))
    return -numpy.sum(target * numpy.log(p), axis=axis)


@op(
    "The crossentropies of labels that are class numbers.",
    "ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])",
    "array([0.6931472], dtype=float32)",
    target="Class numbers.",
    output="Probabilities, or logits.",
    from_logits="Whether `output` holds logits.",
)
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    output, target = as_float(output), plain(as_array(target)).astype(np.int64)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    rows = target[..., np.newaxis] == np.arange(output.shape[axis])
    return categorical_crossentropy(
        np.moveaxis(rows.astype(np.float32), -1, axis), output, from_logits, axis
    )


@op(
    "x, or alpha (exp(x / alpha) - 1) below 0.",
    "ops.celu([0.0, 2.0])",
    "array([0., 2.], dtype=float32)",
    alpha="Minus the limit for x far below 0.",
)
def celu(x: Any, alpha: float = 1.0) -> Any:
    x = as_float(x)
    numpy = namespace(x)
    return numpy.where(plain(x) > 0, x, alpha * numpy.expm1(numpy.minimum(x, 0.0) / alpha))


@op(
    "One half of an axis, times the sigmoid of the other.",
    "ops.glu([2.0, 0.0])",
    "array([1.], dtype=float32)",
)
def glu(x: Any, axis: int = -1) -> Any:
    x = as_float(x)
    first, second = namespace(x).split(x, 2, axis)
    return first * as_array(sigmoid(second))


@op("x hard_sigmoid(x).", "ops.hard_silu([3.0])", "array([3.], dtype=float32)")
def hard_silu(x: Any) -> Any:
    x = as_float(x)
    return x * as_array(hard_sigmoid(x))


@op(
    "x, at least -1 and at most 1.",
    "ops.hard_tanh([-3.0, 0.5])",
    "array([-1. ,  0.5], dtype=float32)",
)
def hard_tanh(x: Any) -> Any:
    return clip(as_float(x), -1.0, 1.0)


@op(
    "(x + sqrt(x^2 + b)) / 2.",
    "ops.squareplus([0.0])",
    "array([1.], dtype=float32)",
    b="Number of the formula.",
)
def squareplus(x: Any, b: float = 4) -> Any:
    x = as_float(x)
    return 0.5 * (x + namespace(x).sqrt(x * x + b))


@op("x - tanh(x).", "ops.tanh_shrink([0.0])", "array([0.], dtype=float32)")
def tanh_shrink(x: Any) -> Any:
    x = as_float(x)
    return x - namespace(x).tanh(x)


@op(
    "x where it is above a threshold, else another value.",
    "ops.threshold([1.0, 3.0], 2.0, 0.0)",
    "array([0., 3.], dtype=float32)",
    threshold="The threshold.",
    default_value="The other value.",
)
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    x = as_float(x)
    return namespace(x).where(plain(x) > threshold, x, np.float32(default_value))


@op(
    "Means and variances.",
    "ops.moments([1.0, 3.0], 0)",
    "(np.float32(2.0), np.float32(1.0))",
    axes="Axis or axes.",
    synchronized="False, the only choice.",
    raises="ValueError: If `synchronized` is true.",
)
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    if synchronized:
        raise ValueError(f"`synchronized` must be False. Received: synchronized={synchronized!r}")
    return mean(x, axes, keepdims), var(x, axes, keepdims)


swish = silu
hard_swish = hard_silu
