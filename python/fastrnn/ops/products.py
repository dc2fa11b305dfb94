"""Products of matrices and tensors."""

from __future__ import annotations

from typing import Any

from fastrnn.ops import derivatives
from fastrnn.ops.describing import as_array, op
from fastrnn.tracing import namespace


@op(
    "The matrix products; axes before the last two are batches.",
    "ops.matmul([[1.0, 2.0]], [[3.0], [4.0]])",
    "array([[11.]], dtype=float32)",
)
def matmul(x1: Any, x2: Any) -> Any:
    x1, x2 = as_array(x1), as_array(x2)
    if derivatives.is_product(x1, x2):
        return derivatives.product(x1, x2)
    return namespace(x1, x2).matmul(x1, x2)


@op(
    "The sums of products over the last axis of the first and the last but one of the second.",
    "ops.dot([1.0, 2.0], [3.0, 4.0])",
    "np.float32(11.0)",
)
def dot(x1: Any, x2: Any) -> Any:
    x1, x2 = as_array(x1), as_array(x2)
    if derivatives.is_product(x1, x2):
        return derivatives.product(x1, x2)
    return namespace(x1, x2).dot(x1, x2)


@op(
    "The sums of products over several axes.",
    "ops.tensordot([[1.0, 2.0]], [3.0, 4.0], 1)",
    "array([11.], dtype=float32)",
    axes="How many axes, or a pair of lists of them.",
)
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    x1, x2 = as_array(x1), as_array(x2)
    return namespace(x1, x2).tensordot(x1, x2, axes)


@op(
    "The sums of products that subscripts name.",
    'ops.einsum("ij,j->i", [[1.0, 2.0]], [3.0, 4.0])',
    "array([11.], dtype=float32)",
    subscripts="Letters of the axes, as NumPy has them.",
    operands="The arrays.",
)
def einsum(subscripts: str, *operands: Any) -> Any:
    arrays = [as_array(each) for each in operands]
    return namespace(arrays).einsum(subscripts, *arrays)


@op(
    "The products of each element of one with each of the other.",
    "ops.outer([1, 2], [3, 4])",
    "array([[3, 4],\n       [6, 8]])",
)
def outer(x1: Any, x2: Any) -> Any:
    x1, x2 = as_array(x1), as_array(x2)
    return namespace(x1, x2).reshape(x1, (-1, 1)) * namespace(x2).reshape(x2, (1, -1))


@op(
    "The sums of products over the last axis of both.",
    "ops.inner([1.0, 2.0], [3.0, 4.0])",
    "np.float32(11.0)",
)
def inner(x1: Any, x2: Any) -> Any:
    x1, x2 = as_array(x1), as_array(x2)
    return namespace(x1, x2).tensordot(x1, x2, ((x1.ndim - 1,), (x2.ndim - 1,)))


@op(
    "The sum of products of all elements.",
    "ops.vdot([[1.0, 2.0]], [[3.0, 4.0]])",
    "np.float32(11.0)",
)
def vdot(x1: Any, x2: Any) -> Any:
    x1, x2 = as_array(x1), as_array(x2)
    return namespace(x1, x2).sum(x1 * x2)
