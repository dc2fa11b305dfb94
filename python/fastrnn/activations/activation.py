"""What an activation is: a function and its backward pass."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.kernels.arrays import Floats
from fastrnn.results import with_numpy
from fastrnn.tracing import has_history, native

Backward = Callable[..., Floats]


class Activation:
    """A function of an array, with its backward pass.

    It is a decorator, as `property` is: `@Activation` makes one of the function below it, and
    `@name.gradient` gives it a backward pass.

    Args:
        forward: Takes a float32 array x, and arguments with defaults; returns an array.

    Example:
        >>> @Activation
        ... def square(x):
        ...     return x * x
        >>> @square.gradient
        ... def _(x, y, d_y):
        ...     return 2 * x * d_y
        >>> square([1.0, 3.0])
        array([1., 9.], dtype=float32)
    """

    __name__: str
    __qualname__: str

    def __init__(self, forward: Callable[..., Floats]) -> None:
        functools.update_wrapper(self, forward)
        self._forward = forward
        self._backward: Backward | None = None

    def __call__(self, x: npt.ArrayLike, *args: Any, **kwargs: Any) -> Floats:
        """Apply the function to an array or nested lists; the result also has `numpy()`."""
        if has_history(x):
            traced: Floats = self._within_trace(x, *args, **kwargs)
            return traced
        y: Floats = with_numpy(self.compute(x, *args, **kwargs))
        return y

    def _within_trace(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the function to a traced array, as one operation of the trace."""
        bound = inspect.signature(self._forward).bind(x, *args, **kwargs)
        options = dict(list(bound.arguments.items())[1:])

        def forward(value: Any) -> tuple[Any, Any]:
            y = self.compute(value, **options)
            return y, (np.asarray(value, np.float32), y)

        def backward(cache: Any, d_y: Any) -> list[Any]:
            value, y = cache
            return [self.backward(value, y, np.ascontiguousarray(d_y, np.float32), **options)]

        return native(forward, backward, x)

    def compute(self, x: npt.ArrayLike, *args: Any, **kwargs: Any) -> Floats:
        """Return what a call returns as a plain array: the way of layers.

        Args:
            x: Any shape.
            *args: Further arguments of the function.
            **kwargs: Further arguments of the function.
        """
        return self._forward(np.asarray(x, dtype=np.float32), *args, **kwargs)

    def gradient(self, backward: Backward) -> Backward:
        """Set the backward pass.

        Args:
            backward: Takes x, the output y, the gradient d_y of y, and the arguments of the
                function; returns the gradient of x.

        Returns:
            `backward`.
        """
        self._backward = backward
        return backward

    def backward(self, x: Floats, y: Floats, d_y: Floats, **kwargs: Any) -> Floats:
        """Return the gradient with respect to x.

        Args:
            x: Float32 array that the function was applied to.
            y: What it returned.
            d_y: Gradient with respect to y.
            **kwargs: Arguments that the function was given.

        Raises:
            ValueError: If there is no backward pass.
        """
        if self._backward is None:
            raise ValueError(
                f"The activation `{self.__name__}` has no backward pass: set one with "
                f"`@{self.__name__}.gradient`."
            )
        return self._backward(x, y, d_y, **kwargs)

    def __reduce__(self) -> str:
        return self.__qualname__  # pickled by name, as functions are

    def __repr__(self) -> str:
        return f"<Activation {self.__name__}>"
