"""The base of all regularizers."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from fastrnn.configurable import Configurable
from fastrnn.differentiable import Differentiable
from fastrnn.results import returns_numpy
from fastrnn.tracing import has_history, plain
from fastrnn.utils.named_function import function_config

_traced: WeakKeyDictionary[Any, Differentiable] = WeakKeyDictionary()


class Regularizer(Configurable):
    """A penalty on the values of an array, which training adds to the loss.

    Layers take regularizers for their weights, and an `activity_regularizer` for their output,
    whose penalty is divided by the batch size. A subclass implements `__call__`, and `gradient`
    unless it comes from a trace: then `__call__` is made of operators and `fastrnn.ops`.

    Call arguments:
        x: Array, any shape.

    Returns of a call:
        The penalty, a float.

    Example:
        >>> import numpy as np
        >>> class Cubes(Regularizer):
        ...     def __call__(self, x):
        ...         return float((np.abs(x) ** 3).sum())
        ...     def gradient(self, x):
        ...         return 3 * x * np.abs(x)
        >>> Cubes()(np.array([-1.0, 2.0], "float32"))
        9.0
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__call__" in vars(cls):
            cls.__call__ = returns_numpy(cls.__call__)  # type: ignore[method-assign]

    def __call__(self, x: np.ndarray) -> float:
        """Return the penalty."""
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__`.")

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the derivative of the penalty with respect to each element, float32.

        Args:
            x: Array, any shape.
        """
        if self not in _traced:
            _traced[self] = Differentiable(type(self).__call__.__get__(self), repr(self))
        (gradient,) = _traced[self].vjp(np.asarray(x, np.float32))[1](np.float32(1))
        return gradient


class OwnRegularizer(Regularizer):
    """A function of a user's own as a regularizer; its gradient comes from a trace.

    Args:
        function: Takes an array and returns a scalar; made of operators and `fastrnn.ops`, or of
            functions of TensorFlow where that is imported.

    Example:
        >>> import numpy as np
        >>> cubes = OwnRegularizer(lambda x: (x**3).sum())
        >>> cubes.gradient(np.float32([2.0]))
        array([12.], dtype=float32)
    """

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, x: Any) -> Any:
        """Return the penalty."""
        value = self.function(x)
        return value if has_history(value) else float(plain(value))

    def get_config(self) -> dict[str, Any]:
        """Return the function as a file holds it: by its name."""
        return function_config(self.function)
