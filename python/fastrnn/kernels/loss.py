"""Losses of a batch, with their gradient and the mean of a metric."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.kernels.arrays import Floats


class BatchLoss(NamedTuple):
    """What `batch_loss` returns.

    Attributes:
        loss: mean of the loss.
        metric: mean of the metric that goes with it.
        y_pred: gradient of the loss, of the shape of `y_pred`; None if `gradient` was False.
    """

    loss: float
    metric: float
    y_pred: Floats | None


def batch_loss(
    loss: str,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sigmoid: bool = True,
    threshold: float = 0.5,
    gradient: bool = True,
) -> BatchLoss:
    """Returns the mean of a loss, its gradient and the mean of a metric, in one pass.

    ===================================  ========================================  ==============
    loss                                 of an element or row                      metric
    ===================================  ========================================  ==============
    `"binary_crossentropy"`              `-t log(p) - (1 - t) log(1 - p)`, with    accuracy
                                         `p = sigmoid(y_pred)`
    `"categorical_crossentropy"`         `-sum(t log(p))`, `p = softmax(y_pred)`   accuracy
    `"sparse_categorical_crossentropy"`  `-log(p[t])`                              accuracy
    `"mean_squared_error"`               `(y_pred - t)**2`                         absolute error
    `"mean_absolute_error"`              `abs(y_pred - t)`                         squared error
    ===================================  ========================================  ==============

    The sums do not depend on the number of threads.

    Args:
        loss: one of `LOSSES`.
        y_true: t, of as many elements as `y_pred`; for `"sparse_categorical_crossentropy"` a class
            id for each row.
        y_pred: [..., outputs], of the crossentropies the scores before the activation.
        sigmoid: whether the accuracy of `"binary_crossentropy"` is that of `sigmoid(y_pred)`, not
            that of `y_pred`.
        threshold: what a prediction must exceed there to mean 1.
        gradient: whether the gradient is wanted.

    Returns:
        A `BatchLoss`.

    Example:
        >>> from fastrnn import kernels
        >>> loss, accuracy, d_y_pred = kernels.batch_loss("binary_crossentropy", [1, 0], [0.0, 1.0])
        >>> round(loss, 4), accuracy, d_y_pred.round(4)
        (1.0032, 0.0, array([-0.25  ,  0.3655], dtype=float32))
    """
    return BatchLoss(*_core.batch_loss(loss, y_true, y_pred, sigmoid, threshold, gradient))
