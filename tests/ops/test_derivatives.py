"""The derivatives that replace autograd's: the same values, first and second order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import ops
from fastrnn.ops import derivatives
from fastrnn.tracing import vjp

anp = pytest.importorskip("autograd.numpy")
from autograd import grad  # noqa: E402  behind the test for it
from autograd.core import make_vjp  # noqa: E402

RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 4, 5)).astype("float32")


def softmax(x: Any, axis: Any) -> Any:
    powers = anp.exp(x - anp.max(x, axis=axis, keepdims=True))
    return powers / anp.sum(powers, axis=axis, keepdims=True)


# What stands in the package beside the same thing in autograd's own functions.
PAIRS: dict[str, tuple[Any, Any]] = {
    "tanh": (ops.tanh, anp.tanh),
    "sigmoid": (ops.sigmoid, lambda x: 1 / (1 + anp.exp(-x))),
    "square": (ops.square, lambda x: x**2),
    "softmax": (ops.softmax, lambda x: softmax(x, -1)),
    "softmax of an inner axis": (lambda x: ops.softmax(x, 1), lambda x: softmax(x, 1)),
    "sum": (ops.sum, anp.sum),
    "sum of an axis": (lambda x: ops.sum(x, 1), lambda x: anp.sum(x, 1)),
    "sum of axes": (
        lambda x: ops.sum(x, (0, -1), keepdims=True),
        lambda x: anp.sum(x, (0, 2), keepdims=True),
    ),
    "mean": (lambda x: ops.mean(x, keepdims=True), lambda x: anp.mean(x, keepdims=True)),
    "mean of an axis": (lambda x: ops.mean(x, -2), lambda x: anp.mean(x, -2)),
    "mean of axes": (lambda x: ops.mean(x, [1, 2]), lambda x: anp.mean(x, (1, 2))),
}


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_first_and_second_order(name: str) -> None:
    ours, theirs = PAIRS[name]
    value, pullback = vjp(ours, X)
    pull, wanted = make_vjp(theirs, X)
    np.testing.assert_allclose(value, wanted, rtol=1e-5, atol=1e-6)
    d_y = np.asarray(RNG.normal(size=np.shape(wanted)), np.float32)
    (gradient,) = pullback(d_y)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, pull(d_y), rtol=1e-5, atol=1e-6)

    def norm(function: Any) -> Any:
        return lambda x: anp.sum(grad(lambda y: anp.sum(function(y**3) * d_y))(x) ** 2)

    second, wanted = (grad(norm(each))(X.astype(float)) for each in (ours, theirs))
    np.testing.assert_allclose(second, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("function", [ops.matmul, ops.dot])
@pytest.mark.parametrize("shape", [(3, 4, 5), (4, 5)])
@pytest.mark.parametrize("columns", [1, 6])
def test_products_with_a_matrix(function: Any, shape: tuple[int, ...], columns: int) -> None:
    x = RNG.normal(size=shape).astype("float32")
    w = RNG.normal(size=(5, columns)).astype("float32")
    assert derivatives.is_product(x, w)
    value, pullback = vjp(function, x, w)
    exact_x, exact_w = x.astype(float), w.astype(float)
    np.testing.assert_allclose(value, exact_x @ exact_w, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(value, function(x, w))
    d_y = RNG.normal(size=value.shape).astype("float32")
    d_x, d_w = pullback(d_y)
    np.testing.assert_allclose(d_x, d_y @ exact_w.T, rtol=1e-5, atol=1e-5)
    wanted = exact_x.reshape(-1, 5).T @ d_y.reshape(-1, columns)
    np.testing.assert_allclose(d_w, wanted, rtol=1e-5, atol=1e-5)

    def slope(w: Any) -> Any:  # of a gradient that is traced once more
        return anp.sum(grad(lambda x: anp.sum(function(x, w) ** 2))(x) ** 2)

    found = grad(slope)(w)
    wanted = grad(lambda w: anp.sum((2 * anp.dot(anp.dot(x, w), w.T)) ** 2))(w)
    np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=1e-3)


def test_what_the_kernel_does_not_multiply() -> None:
    vector, table = X[0, 0], X[0]
    np.testing.assert_allclose(ops.dot(table, vector), table @ vector, rtol=1e-6)
    np.testing.assert_allclose(ops.matmul(X, np.swapaxes(X, 1, 2)).shape, (3, 4, 4))
    integers = ops.matmul([[1, 2]], [[3], [4]])
    assert integers.dtype.kind == "i"
    assert ops.matmul(np.zeros((0, 5), "f"), table.T).shape == (0, 4)
