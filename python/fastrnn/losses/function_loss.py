"""A function of the user's as a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.losses.loss import Loss


class FunctionLoss(Loss):
    """A loss that is a function of labels and predictions; what `compile(loss=function)` makes.

    Args:
        function: Takes labels and predictions, float32 arrays; returns a value for each sample, or
            one for all. It is made of operators and of functions of `fastrnn.ops`.
        reduction: See `Loss`.
        name: Name of the loss; by default that of the function.
        dtype: `"float32"` or None.
        **kwargs: Further arguments of the function.

    Example:
        >>> from fastrnn import ops
        >>> loss = FunctionLoss(lambda y_true, y_pred: ops.sum(abs(y_true - y_pred), axis=-1))
        >>> value, gradient = loss.value_and_gradient([[1.0, 2.0]], [[3.0, 0.0]])
        >>> value, gradient.tolist()
        (4.0, [[1.0, -1.0]])
    """

    def __init__(
        self,
        function: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(function, "__name__", "function"), reduction, dtype)
        self.function = function
        self._kwargs = kwargs

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> Any:
        """Return the function's value.

        Args:
            y_true: Labels.
            y_pred: Predictions.
        """
        return self.function(y_true, y_pred, **self._kwargs)
