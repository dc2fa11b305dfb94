"""Weighted means, and means of a function of labels and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.metrics.metric import Metric


class _Average(Metric):
    """A weighted sum of values and the sum of their weights."""

    def __init__(self, name: str | None, dtype: str | None) -> None:
        super().__init__(name=name, dtype=dtype)
        # Python floats (float64) lose nothing over millions of batches, as float32 would.
        self.total = 0.0
        self.count = 0.0

    def result(self) -> float:
        """Return the mean; 0 if there was nothing."""
        return self.total / self.count if self.count else 0.0

    def reset_state(self) -> None:
        """Forget all values."""
        self.total = 0.0
        self.count = 0.0

    def _add(self, values: np.ndarray, sample_weight: npt.ArrayLike | None) -> None:
        """Add values [samples, ...]; each sample counts as the mean over its other dimensions."""
        if sample_weight is not None:
            self._add_weighted(values, np.asarray(sample_weight, dtype=np.float32))
        elif values.size:
            samples = len(values) if values.ndim else 1
            self.total += float(np.add.reduce(values, axis=None, dtype=np.float64)) * (
                samples / values.size
            )
            self.count += samples

    def _add_weighted(self, values: np.ndarray, weight: np.ndarray) -> None:
        if values.ndim == weight.ndim == 0:
            # The loss of a batch: not worth the arrays below.
            self.total += float(values) * float(weight)
            self.count += float(weight)
            return
        if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
            weight = weight[..., 0]
        elif values.ndim == weight.ndim + 1 and values.shape[-1] == 1:
            values = values[..., 0]
        if values.ndim > weight.ndim:
            values = values.mean(axis=tuple(range(weight.ndim, values.ndim)), dtype=np.float64)
        try:
            weight = np.broadcast_to(weight, values.shape)
        except ValueError:
            raise ValueError(
                f"`sample_weight` must be a scalar or fit the values of shape {values.shape}. "
                f"Received: sample_weight.shape={weight.shape}"
            ) from None
        if values.size:
            factor = values.shape[0] / values.size if values.ndim else 1.0
            self.total += float(np.sum(values * weight, dtype=np.float64)) * factor
            self.count += float(np.sum(weight, dtype=np.float64)) * factor


class Mean(_Average):
    """Mean of all values since the last reset.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0], sample_weight=[1.0, 0.0])
        >>> mean.result()
        1.0
    """

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(
        self, values: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add values.

        Args:
            values: A number, or an array of shape [samples, ...]; a sample of several values
                counts as their mean.
            sample_weight: A number, or an array of as many dimensions as `values` or fewer.

        Raises:
            ValueError: If `sample_weight` does not fit.
        """
        self._add(np.asarray(values), sample_weight)


class MeanMetricWrapper(_Average):
    """Mean of `fn(y_true, y_pred)` over all samples.

    Args:
        fn: Function of labels and predictions that returns an array [samples, ...].
        name: Name of the metric. Defaults to the name of `fn`.
        dtype: `"float32"` or None.
        **kwargs: Further arguments of `fn`.
    """

    def __init__(
        self,
        fn: Callable[..., np.ndarray],
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name or getattr(fn, "__name__", None), dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> None:
        """Add a batch.

        Args:
            y_true: Labels.
            y_pred: Predictions.
            sample_weight: Weight of each sample; None for 1.

        Raises:
            ValueError: If the shapes do not fit.
        """
        self._add(np.asarray(self._fn(y_true, y_pred, **self._fn_kwargs)), sample_weight)
