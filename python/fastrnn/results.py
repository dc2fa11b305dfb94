"""What calls return: plain arrays and numbers that also have the `numpy()` of Keras's tensors.

They compute, print, pickle and compare as what they are made of. Only what is handed to the user is
one of them; a training step never makes any.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


class Array(np.ndarray):
    """An array with `numpy()`.

    Example:
        >>> import numpy as np
        >>> with_numpy(np.ones(2, "float32")).numpy()
        array([1., 1.], dtype=float32)
    """

    def numpy(self) -> np.ndarray:
        """Return the plain array, without a copy."""
        return self.view(np.ndarray)

    def set_shape(self, shape: Any) -> None:
        """Check the shape, as scripts for TensorFlow's data sets state it.

        Args:
            shape: Size of each dimension, None for any.

        Raises:
            ValueError: If it is another one.
        """
        sizes = tuple(shape)
        fits = len(sizes) == self.ndim and all(
            want is None or want == size for want, size in zip(sizes, self.shape, strict=True)
        )
        if not fits:
            raise ValueError(f"`shape` must be that of the array, {self.shape}. Received: {sizes}")

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))

    def __reduce__(self) -> Any:
        return self.view(np.ndarray).__reduce__()


class Float(float):
    """A Python number with `numpy()`."""

    def numpy(self) -> np.float32:
        """Return the number as float32, as Keras has it."""
        return np.float32(self)

    def __reduce__(self) -> Any:
        return float, (float(self),)


class Float32(np.float32):
    """A float32 with `numpy()`."""

    def numpy(self) -> np.float32:
        """Return the plain number."""
        return np.float32(self)

    def __repr__(self) -> str:
        return repr(np.float32(self))

    def __reduce__(self) -> Any:
        return np.float32(self).__reduce__()


def with_numpy(value: Any) -> Any:
    """Return a value that also has `numpy()`; of tuples, lists and dicts each entry.

    Args:
        value: What a call returns. What is neither a float nor an array of NumPy stays as it is.

    Example:
        >>> import numpy as np
        >>> with_numpy((np.float32(0.5), 2.0))[1].numpy()
        np.float32(2.0)
    """
    kind = type(value)
    if kind is np.ndarray:
        return value.view(Array)
    if kind is float:
        return Float(value)
    if kind is np.float32:
        return Float32(value)
    if kind is tuple or kind is list:
        return kind(map(with_numpy, value))
    if kind is dict:
        return {key: with_numpy(each) for key, each in value.items()}
    return value


def without_numpy(value: Any) -> Any:
    """Undo `with_numpy` for one array or number; any other value stays as it is.

    Args:
        value: Any value.

    Example:
        >>> type(without_numpy(with_numpy(2.0)))
        <class 'float'>
    """
    if isinstance(value, Array):
        return value.view(np.ndarray)
    if isinstance(value, Float32):
        return np.float32(value)
    if isinstance(value, (int, float)) and hasattr(value, "numpy"):
        return float(value) if isinstance(value, float) else int(value)
    return value


def returns_numpy(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function return its result `with_numpy`."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        result: R = with_numpy(function(*args, **kwargs))
        return result

    return wrapped
