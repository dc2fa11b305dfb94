"""Values and derivatives of `fastrnn.ops`."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import ops
from fastrnn.differentiable import Differentiable
from fastrnn.tracing import native, vjp

RNG = np.random.default_rng(2)
A = RNG.normal(size=(3, 4)).astype(np.float32)
B = RNG.normal(size=(3, 4)).astype(np.float32)
M = RNG.normal(size=(4, 2)).astype(np.float32)
POSITIVE = (np.abs(A) + 0.5).astype(np.float32)
UNIT = (0.8 * np.tanh(A)).astype(np.float32)

# The functions that have a derivative, at arrays where it is defined.
DIFFERENTIABLE: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    **{
        name: (getattr(ops, name), (A,))
        for name in [
            "absolute",
            "arcsinh",
            "arctan",
            "cos",
            "celu",
            "cosh",
            "elu",
            "erf",
            "glu",
            "hard_silu",
            "hard_tanh",
            "squareplus",
            "tanh_shrink",
            "trace",
            "diagonal",
            "diff",
            "exp",
            "exp2",
            "expm1",
            "gelu",
            "hard_sigmoid",
            "leaky_relu",
            "log_sigmoid",
            "log_softmax",
            "logsumexp",
            "max",
            "mean",
            "min",
            "negative",
            "norm",
            "normalize",
            "prod",
            "ravel",
            "relu",
            "relu6",
            "selu",
            "sigmoid",
            "silu",
            "sin",
            "sinh",
            "softmax",
            "softplus",
            "softsign",
            "square",
            "squeeze",
            "std",
            "sum",
            "tan",
            "tanh",
            "transpose",
            "var",
            "flip",
            "cumsum",
            "sort",
        ]
    },
    **{
        name: (getattr(ops, name), (POSITIVE,))
        for name in ["log", "log10", "log1p", "log2", "reciprocal", "rsqrt", "sqrt"]
    },
    **{name: (getattr(ops, name), (UNIT,)) for name in ("arccos", "arcsin", "arctanh")},
    "arccosh": (ops.arccosh, (POSITIVE + 1,)),
    **{
        name: (getattr(ops, name), (A, B))
        for name in ["add", "arctan2", "logaddexp", "maximum", "minimum", "multiply", "subtract"]
    },
    "divide": (ops.divide, (A, POSITIVE)),
    "divide_no_nan": (lambda x: ops.divide_no_nan(x, POSITIVE * (B > 0)), (A,)),
    "power": (ops.power, (POSITIVE, B)),
    "power of a number": (lambda x: ops.power(x, 3), (A,)),
    "matmul": (ops.matmul, (A, M)),
    "dot": (ops.dot, (A, M)),
    "tensordot": (lambda x, y: ops.tensordot(x, y, 1), (A, M)),
    "einsum": (lambda x, y: ops.einsum("ij,jk->ki", x, y), (A, M)),
    "outer": (ops.outer, (A[0], B[1])),
    "where": (lambda x, y: ops.where(A > 0, x, y), (A, B)),
    "clip": (lambda x: ops.clip(x, -0.5, 0.7), (A,)),
    "sum of an axis": (lambda x: ops.sum(x, axis=1, keepdims=True), (A,)),
    "mean of axes": (lambda x: ops.mean(x, axis=[0, 1]), (A,)),
    "logsumexp of an axis": (lambda x: ops.logsumexp(x, axis=1), (A,)),
    "max of an axis": (lambda x: ops.max(x, axis=0), (A,)),
    "softmax of an axis": (lambda x: ops.softmax(x, axis=0), (A,)),
    "norm of order 1": (lambda x: ops.norm(x, 1, axis=1), (A,)),
    "concatenate": (lambda x, y: ops.concatenate([x, 2.0 * y], axis=1), (A, B)),
    "stack": (lambda x, y: ops.stack([x, 2.0 * y], axis=1), (A, B)),
    "split": (lambda x: ops.split(x, 2, axis=1)[1], (A,)),
    "unstack": (lambda x: ops.unstack(x, axis=1)[2], (A,)),
    "reshape": (lambda x: ops.reshape(x, (2, -1)), (A,)),
    "expand_dims": (lambda x: ops.expand_dims(x, (0, 2)), (A,)),
    "swapaxes": (lambda x: ops.swapaxes(x, 0, 1), (A,)),
    "moveaxis": (lambda x: ops.moveaxis(x, 0, 1), (A,)),
    "tile": (lambda x: ops.tile(x, (2, 1)), (A,)),
    "repeat": (lambda x: ops.repeat(x, 2, 1), (A,)),
    "broadcast_to": (lambda x: ops.broadcast_to(x, (2, 3, 4)), (A,)),
    "roll": (lambda x: ops.roll(x, 1, 0), (A,)),
    "pad": (lambda x: ops.pad(x, ((1, 0), (0, 2))), (A,)),
    "take": (lambda x: ops.take(x, [2, 0, 2], axis=1), (A,)),
    "take_along_axis": (lambda x: ops.take_along_axis(x, [[1], [0], [1]], 1), (A,)),
    "slice": (lambda x: ops.slice(x, (1, 0), (2, 3)), (A,)),
    "top_k": (lambda x: ops.top_k(x, 2)[0], (A,)),
    "triu": (ops.triu, (A,)),
    "tril": (ops.tril, (A,)),
    "exact gelu": (lambda x: ops.gelu(x, approximate=False), (A,)),
    "nan_to_num": (lambda x: ops.nan_to_num(ops.where(B > 0, x, np.nan)), (A,)),
    "threshold": (lambda x: ops.threshold(x, 0.1, 3.0), (A,)),
    "average": (lambda x, w: ops.average(x, 0, w), (A, POSITIVE)),
    "inner": (ops.inner, (A, B)),
    "vdot": (ops.vdot, (A, B)),
    "hstack": (lambda x, y: ops.hstack([x, 2.0 * y]), (A, B)),
    "vstack": (lambda x, y: ops.vstack([x, 2.0 * y]), (A, B)),
    "append": (ops.append, (A, B)),
    "cond": (lambda x: ops.cond(ops.sum(x) > 99, lambda: x, lambda: x * x), (A,)),
    "switch": (lambda x: ops.switch(1, [ops.exp, ops.square], x), (A,)),
    "while_loop": (
        lambda x: ops.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y * x), (0, x))[1],
        (A,),
    ),
    "fori_loop": (lambda x: ops.fori_loop(0, 2, lambda i, y: y * x[i], x), (A,)),
    "scan": (lambda x: ops.scan(lambda s, r: (s * r, s + r), x[0], x)[1], (A,)),
    "scan backward": (
        lambda x: ops.scan(lambda s, r: (s * r, s + r), x[0], x, reverse=True)[1],
        (A,),
    ),
    "map": (lambda x: ops.map(lambda r: r * r[0], x), (A,)),
    "scatter": (lambda x: ops.scatter([[2], [0], [2]], x, (4, 4)), (A,)),
    "scatter_update": (
        lambda x, y: ops.scatter_update(x, [[0, 1], [2, 3]], y[0, :2]),
        (A, B),
    ),
    "slice_update": (lambda x, y: ops.slice_update(x, [1, 0], y[:2, :3]), (A, B)),
    "segment_sum": (lambda x: ops.segment_sum(x, [1, 0, 1], 3), (A,)),
    "cast": (lambda x: ops.cast(x, "float32"), (A,)),
    "binary_crossentropy": (lambda y: ops.binary_crossentropy(A > 0, y), (POSITIVE / 4,)),
    "binary_crossentropy of logits": (
        lambda y: ops.binary_crossentropy(A > 0, y, from_logits=True),
        (B,),
    ),
    "categorical_crossentropy": (
        lambda y: ops.categorical_crossentropy(ops.one_hot([1, 0, 3], 4), y),
        (POSITIVE,),
    ),
    "sparse_categorical_crossentropy": (
        lambda y: ops.sparse_categorical_crossentropy([1, 0, 3], y, from_logits=True),
        (B,),
    ),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_derivatives_are_central_differences(name: str) -> None:
    function, arrays = DIFFERENTIABLE[name]
    value, pullback = vjp(function, *arrays)
    np.testing.assert_allclose(value, function(*arrays), rtol=1e-6, atol=1e-6)
    assert value.dtype == np.float32
    d_value = RNG.normal(size=np.shape(value)).astype(np.float32)
    gradients = pullback(d_value)
    for number, gradient in enumerate(gradients):
        assert gradient.dtype == np.float32
        assert gradient.shape == arrays[number].shape
        want = np.zeros(gradient.shape)
        for place in np.ndindex(gradient.shape):
            moved = [array.copy() for array in arrays]
            ends = []
            for step in (2e-3, -2e-3):
                moved[number][place] = arrays[number][place] + np.float32(step)
                ends.append(np.sum(function(*moved) * d_value.astype(np.float64)))
            want[place] = (ends[0] - ends[1]) / 4e-3
        np.testing.assert_allclose(gradient, want, rtol=2e-2, atol=5e-3)


def examples() -> list[tuple[str, str]]:
    found = []
    for name in ops.__all__:
        function = getattr(ops, name)
        if not isinstance(function, ModuleType):
            expression = re.findall(r">>> (.*)", function.__doc__ or "")[-1]
            found.append((name, expression))
    return found


def arrays(value: Any) -> Any:
    """Return an argument of an example as Keras wants it: arrays in place of lists of numbers."""
    if isinstance(value, list):
        ragged = len({np.shape(each) for each in value}) > 1
        return [np.asarray(each) for each in value] if ragged else np.asarray(value)
    return value


@pytest.mark.parametrize(("name", "expression"), examples())
def test_examples_give_what_they_give_in_keras(
    name: str, expression: str, keras: ModuleType
) -> None:
    theirs_of = keras.ops if hasattr(keras.ops, name) else keras.ops.nn
    if not hasattr(theirs_of, name):
        pytest.skip(f"Keras has no `{name}`")
    theirs_of_lists = getattr(theirs_of, name)
    ours = eval(expression, {"ops": ops})
    theirs = eval(
        expression.replace(f"ops.{name}(", "theirs("),
        {
            "ops": keras.ops,
            "theirs": lambda *args, **options: theirs_of_lists(
                *(args if name == "stack" else map(arrays, args)), **options
            ),
        },
    )
    if not isinstance(ours, list | tuple) or name == "shape":
        ours, theirs = [ours], [theirs]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(
            np.asarray(one, np.float64), np.asarray(other, np.float64), rtol=1e-5, atol=1e-6
        )


def test_numbers_and_float64_become_float32() -> None:
    assert ops.exp(1.0).dtype == ops.mean(np.ones(3)).dtype == ops.add(1, 2.5).dtype == np.float32
    assert ops.exp([0.0]).numpy().tolist() == [1.0]
    assert ops.add([1], 2).dtype.kind == "i"


def test_a_trace_takes_operators_indices_and_untraced_arrays() -> None:
    def function(x: Any) -> Any:
        t = ops.maximum(B, 0.1)  # an untraced result
        return ((t - x) / t)[1:, ::2] @ M[:2] + x[0, 0] ** 2

    value, pullback = vjp(function, A)
    assert value.shape == (2, 2)
    gradient = pullback(np.ones((2, 2), np.float32))[0]
    want = np.zeros((3, 4))
    want[1:, ::2] = -M[:2].sum(axis=1) / np.maximum(B, 0.1)[1:, ::2]
    want[0, 0] = 8 * A[0, 0]
    np.testing.assert_allclose(gradient, want, rtol=1e-5)


def test_slopes_at_the_bends_are_those_of_keras() -> None:
    """Padding makes exact zeros, so a slope of one half there would train another model."""
    for function, slopes in ((ops.relu, [0, 0, 1]), (ops.relu6, [0, 0, 0])):
        at = np.float32([-1, 0, 6])
        _, pullback = vjp(function, at)
        assert pullback(np.ones(3, np.float32))[0].tolist() == slopes


@pytest.mark.parametrize("axis", [None, 0, -1, (1, 0)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_factors_of_zero_have_the_product_of_the_others_as_slope(axis: Any, keepdims: bool) -> None:
    x = np.array([[0, 2, 3], [4, 5, 0.5]], np.float32)
    value, pullback = vjp(lambda x: ops.prod(x, axis, keepdims), x)
    (gradient,) = pullback(np.ones_like(value))
    for place in np.ndindex(x.shape):
        without, high = x.copy(), x.copy()
        without[place], high[place] = 0, 1  # a product is linear in each factor
        slope = np.sum(high.prod(axis=axis)) - np.sum(without.prod(axis=axis))
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_integers_are_not_traced_and_get_zeros() -> None:
    rows = np.array([2, 0])
    value, pullback = vjp(lambda x, i: ops.take(x, i, axis=0) * 2, A, rows)
    d_x, d_rows = pullback(np.ones((2, 4), np.float32))
    assert value.shape == (2, 4)
    assert d_x[:, 0].tolist() == [2, 0, 2]
    assert d_rows.tolist() == [0, 0]


def test_a_fraction_beside_integers_stays_a_fraction() -> None:
    assert ops.where([True, False], [1, 2], 0.5).tolist() == [1, 0.5]


def test_several_values() -> None:
    value, pullback = vjp(lambda x, y: (x * y, ops.sum(y)), A, B)
    assert len(value) == 2
    d_x, d_y = pullback((np.ones_like(A), np.float32(3)))
    np.testing.assert_allclose(d_x, B)
    np.testing.assert_allclose(d_y, A + 3, rtol=1e-6)


def test_a_native_operation_in_a_trace() -> None:
    def product(x: Any, w: Any) -> Any:
        return native(
            lambda x, w: (x @ w, (x, w)),
            lambda cache, d: [d @ cache[1].T, cache[0].T @ d],
            x,
            w,
        )

    value, pullback = vjp(lambda x, w: ops.tanh(product(2.0 * x, w)), A, M)
    same, pull = vjp(lambda x, w: ops.tanh((2.0 * x) @ w), A, M)
    np.testing.assert_allclose(value, same, rtol=1e-6)
    for ours, theirs in zip(pullback(value), pull(value), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(product(A, M), A @ M)


def test_a_value_that_depends_on_nothing_has_zeros_as_gradient() -> None:
    value, pullback = vjp(lambda x: np.float32(2.0), A)
    assert float(value) == 2.0
    assert not pullback(np.float32(1.0))[0].any()
    value, pullback = vjp(lambda x: ops.sum(ops.stop_gradient(x) * x), A)
    np.testing.assert_allclose(pullback(np.float32(1.0))[0], A)


@pytest.mark.parametrize("library", ["tensorflow", "torch", "jax"])
def test_functions_of_other_libraries(library: str, request: pytest.FixtureRequest) -> None:
    if library == "tensorflow":
        request.getfixturevalue("keras")  # sets up TensorFlow for all tests of the process
        import tensorflow as tf

        function = lambda x: tf.reduce_sum(tf.clip_by_value(x, -0.5, 0.5) ** 2, axis=1)  # noqa: E731
    elif library == "torch":
        torch = pytest.importorskip("torch")
        function = lambda x: torch.clamp(x, -0.5, 0.5).pow(2).sum(1)  # noqa: E731
    else:
        jax = pytest.importorskip("jax")
        function = lambda x: (jax.numpy.clip(x, -0.5, 0.5) ** 2).sum(1)  # noqa: E731
    differentiable = Differentiable(function, "it")
    for _ in range(2):  # the second time it is known whose it is
        value, pullback = differentiable.vjp(A)
        np.testing.assert_allclose(value, np.sum(np.clip(A, -0.5, 0.5) ** 2, axis=1), rtol=1e-5)
        inside = np.abs(A) < 0.5
        np.testing.assert_allclose(
            pullback(np.ones(3, np.float32))[0], 2 * A * inside, rtol=1e-5, atol=1e-7
        )


def test_a_function_that_nobody_can_differentiate_is_named() -> None:
    with pytest.raises(
        TypeError, match=r"The function f cannot be differentiated: .*`fastrnn\.ops`"
    ):
        Differentiable(lambda x: np.asarray(x, dtype="float32"), "The function f").vjp(A)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.norm(A, 3), "`ord` must be None, 1 or 2. Received: ord=3"),
        (lambda: ops.normalize(A, order=1), "`order` must be 2. Received: order=1"),
        (lambda: ops.pad(A, 1, "reflect"), "`mode` must be 'constant'. Received: mode='reflect'"),
        (
            lambda: ops.scatter_update(A, [[0, 0]], [1.0], "add"),
            "`reduction` must be None. Received: reduction='add'",
        ),
        (lambda: ops.moments(A, 0, synchronized=True), "`synchronized` must be False"),
        (lambda: ops.scan(lambda s, x: (s, x), 0), "`scan` needs `xs` or `length`"),
    ],
)
def test_what_is_not_there_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_libraries_are_not_mixed_in_silence(run_python: Any) -> None:
    """Where TensorFlow is loaded too, its tape takes any function: so in a process of its own."""
    pytest.importorskip("torch")
    code = """
import numpy as np, torch
from fastrnn import ops
from fastrnn.differentiable import Differentiable
mixed = Differentiable(lambda x: torch.as_tensor(x).sum() + ops.mean(x), "It")
try:
    mixed.vjp(np.ones((2, 3), "float32"))
except TypeError as error:
    print(str(error)[:28])
"""
    assert run_python(code).stdout.strip() == "It cannot be differentiated:"
