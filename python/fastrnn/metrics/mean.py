"""Weighted means and sums, and means of a function of labels and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.metrics.metric import Metric


class Average(Metric):
    """A weighted sum of values and the sum of their weights."""

    sums = ("total", "count")

    def __init__(self, name: str | None, dtype: str | None) -> None:
        super().__init__(name=name, dtype=dtype)
        # Python floats (float64): float32 would lose digits over millions of batches.
        self.total = 0.0
        self.count = 0.0

    def result(self) -> Any:
        """Return the mean; 0 without values."""
        return self.total / self.count if self.count else 0.0

    def reset_state(self) -> None:
        """Forget all values."""
        self.total = 0.0
        self.count = 0.0

    def add_mean(self, mean: float, samples: int) -> None:
        """Add samples of which only the mean is known.

        Args:
            mean: Mean of their values.
            samples: How many they are.
        """
        self.total += mean * samples
        self.count += samples

    def _add(self, values: np.ndarray, sample_weight: npt.ArrayLike | None) -> None:
        """Add values [samples, ...]; each sample counts as the mean over its other dimensions."""
        # A diverged model gives a mean of NaN, as in Keras, and no warnings of NumPy.
        with np.errstate(all="ignore"):
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
            # The loss of a batch: faster without the arrays below.
            self.total += float(values) * float(weight)
            self.count += float(weight)
            return
        values, weight = _of_one_shape(values, weight, np.mean)
        if values.size:
            factor = values.shape[0] / values.size if values.ndim else 1.0
            self.total += float(np.sum(values * weight, dtype=np.float64)) * factor
            self.count += float(np.sum(weight, dtype=np.float64)) * factor


def _of_one_shape(
    values: np.ndarray, weight: np.ndarray, reduce: Callable[..., Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return both in one shape; dimensions that the weights do not have are reduced."""
    if weight.ndim == values.ndim + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    elif values.ndim == weight.ndim + 1 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim > weight.ndim:
        values = reduce(values, axis=tuple(range(weight.ndim, values.ndim)), dtype=np.float64)
    try:
        return values, np.broadcast_to(weight, values.shape)
    except ValueError:
        raise ValueError(
            f"`sample_weight` must be a scalar or fit the values of shape {values.shape}. "
            f"Received: sample_weight.shape={weight.shape}"
        ) from None


class Mean(Average):
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


class Sum(Metric):
    """Sum of all values since the last reset.

    Args:
        name: Name of the metric.
        dtype: `"float32"` or None.

    Example:
        >>> total = Sum()
        >>> total.update_state([1.0, 3.0], sample_weight=[1.0, 0.5])
        >>> total.result()
        2.5
    """

    sums = ("total",)

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = 0.0

    def update_state(
        self, values: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Add values.

        Args:
            values: A number, or an array of shape [samples, ...].
            sample_weight: A number, or an array of as many dimensions as `values` or fewer: the
                factor of each value.

        Raises:
            ValueError: If `sample_weight` does not fit.
        """
        array = np.asarray(values)
        if sample_weight is not None:
            array, weight = _of_one_shape(array, np.asarray(sample_weight, np.float32), np.sum)
            array = array * weight
        self.total += float(np.sum(array, dtype=np.float64))

    def result(self) -> float:
        """Return the sum; 0 without values."""
        return self.total

    def reset_state(self) -> None:
        """Forget all values."""
        self.total = 0.0


class MeanMetricWrapper(Average):
    """Mean of `fn(y_true, y_pred)` over all samples.

    In a model whose output has a mask, masked entries do not count. As in Keras, that holds for
    this class and those derived from it only.

    Args:
        fn: Function of labels and predictions that returns an array [samples, ...].
        name: Name of the metric. Defaults to the name of `fn`.
        dtype: `"float32"` or None.
        **kwargs: Further arguments of `fn`.

    Example:
        >>> MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred), name="error").name
        'error'
    """

    _settings = Metric._settings | {"_fn", "_fn_kwargs"}

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        # A function has a `__name__`, a loss object a `name`.
        name = name or getattr(fn, "name", None) or getattr(fn, "__name__", None)
        super().__init__(name=name, dtype=dtype)
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

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; those of a derived class have no `fn`."""
        own = {"fn": self._fn} if type(self) is MeanMetricWrapper else {}
        return {**super().get_config(), **own, **self._fn_kwargs}
