"""The base of all regularizers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.configurable import Configurable
from fastrnn.results import returns_numpy


class Regularizer(Configurable):
    """A penalty on the values of an array, which training adds to the loss.

    Layers take regularizers for their weights, and an `activity_regularizer` for their output,
    whose penalty is divided by the batch size. A subclass implements `__call__` and
    `gradient`.

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
        raise NotImplementedError(f"{type(self).__name__} must implement `gradient`.")
