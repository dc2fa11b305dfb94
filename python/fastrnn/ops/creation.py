"""Arrays of given values, and conversions."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.ops.describing import as_array, op
from fastrnn.tracing import is_traced, plain


@op("An array of zeros.", "ops.zeros((2,))", "array([0., 0.], dtype=float32)")
def zeros(shape: Any, dtype: str = "float32") -> Any:
    return np.zeros(shape, dtype)


@op("An array of ones.", "ops.ones((2,))", "array([1., 1.], dtype=float32)")
def ones(shape: Any, dtype: str = "float32") -> Any:
    return np.ones(shape, dtype)


@op(
    "An array of one value.",
    "ops.full((2,), 3.0)",
    "array([3., 3.], dtype=float32)",
    fill_value="The value.",
)
def full(shape: Any, fill_value: Any, dtype: str | None = None) -> Any:
    return np.full(shape, plain(as_array(fill_value)), dtype)


@op("Zeros in the shape of an array.", "ops.zeros_like([1.0])", "array([0.], dtype=float32)")
def zeros_like(x: Any, dtype: str | None = None) -> Any:
    return np.zeros_like(plain(as_array(x)), dtype)


@op("Ones in the shape of an array.", "ops.ones_like([2.0])", "array([1.], dtype=float32)")
def ones_like(x: Any, dtype: str | None = None) -> Any:
    return np.ones_like(plain(as_array(x)), dtype)


@op(
    "One value in the shape of an array.",
    "ops.full_like([2.0], 5)",
    "array([5.], dtype=float32)",
    fill_value="The value.",
)
def full_like(x: Any, fill_value: Any, dtype: str | None = None) -> Any:
    return np.full_like(plain(as_array(x)), fill_value, dtype)


@op(
    "An identity matrix.",
    "ops.eye(2)",
    "array([[1., 0.],\n       [0., 1.]], dtype=float32)",
    N="How many rows.",
    M="How many columns; as many by default.",
    k="Which diagonal.",
)
def eye(N: int, M: int | None = None, k: int = 0, dtype: str = "float32") -> Any:
    return np.eye(N, M, k, dtype)


@op(
    "Numbers in equal steps.",
    "ops.arange(3)",
    "array([0, 1, 2])",
    start="The first, or the end if it stands alone.",
    stop="The end, not included.",
    step="The difference.",
)
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str | None = None) -> Any:
    if stop is None:
        start, stop = 0, start
    return as_array(np.arange(start, stop, step, dtype=dtype))


@op(
    "Numbers at equal distances.",
    "ops.linspace(0.0, 1.0, 3)",
    "array([0. , 0.5, 1. ], dtype=float32)",
    start="The first.",
    stop="The last.",
    num="How many.",
)
def linspace(start: Any, stop: Any, num: int = 50) -> Any:
    return np.linspace(start, stop, num, dtype=np.float32)


@op(
    "The elements as another type.", 'ops.cast([1, 2], "float32")', "array([1., 2.], dtype=float32)"
)
def cast(x: Any, dtype: str) -> Any:
    x = as_array(x)
    # A traced array is of floats: what is not float has no gradient.
    return (
        x.astype(dtype)
        if not is_traced(x) or np.dtype(dtype).kind == "f"
        else plain(x).astype(dtype)
    )


@op("An array, float32 for floats.", "ops.convert_to_tensor([1.0])", "array([1.], dtype=float32)")
def convert_to_tensor(x: Any, dtype: str | None = None) -> Any:
    return as_array(x) if dtype is None else cast(x, dtype)


@op("A plain array of NumPy.", "ops.convert_to_numpy([1.0])", "array([1.], dtype=float32)")
def convert_to_numpy(x: Any) -> Any:
    return np.asarray(plain(as_array(x)))


@op(
    "The upper triangle of matrices.",
    "ops.triu([[1, 2], [3, 4]])",
    "array([[1, 2],\n       [0, 4]])",
    k="Which diagonal is the lowest.",
)
def triu(x: Any, k: int = 0) -> Any:
    x = as_array(x)
    return x * np.triu(np.ones(x.shape[-2:], plain(x).dtype), k)


@op(
    "The lower triangle of matrices.",
    "ops.tril([[1, 2], [3, 4]])",
    "array([[1, 0],\n       [3, 4]])",
    k="Which diagonal is the highest.",
)
def tril(x: Any, k: int = 0) -> Any:
    x = as_array(x)
    return x * np.tril(np.ones(x.shape[-2:], plain(x).dtype), k)


@op("An array, float32 for floats.", "ops.array([1.0])", "array([1.], dtype=float32)")
def array(x: Any, dtype: str | None = None) -> Any:
    return convert_to_tensor(x, dtype)


@op("An array whose elements mean nothing.", "ops.empty((2,)).shape", "(2,)")
def empty(shape: Any, dtype: str | None = None) -> Any:
    return np.zeros(shape, dtype or "float32")


@op(
    "An identity matrix.",
    "ops.identity(1)",
    "array([[1.]], dtype=float32)",
    n="How many rows.",
)
def identity(n: int, dtype: str | None = None) -> Any:
    return np.eye(n, dtype=dtype or "float32")


@op("Whether a value is an array.", "ops.is_tensor(ops.ones(2))", "True")
def is_tensor(x: Any) -> Any:
    return is_traced(x) or isinstance(x, np.ndarray)
