"""What all metrics share."""

from __future__ import annotations

from typing import Any

from fastrnn.naming import auto_name


class Metric:
    """Base of all metrics: a number, or several, gathered over the batches of an epoch.

    Subclasses implement `update_state`, `result` and `reset_state`.

    Args:
        dtype: `"float32"` or None, which means the same.
        name: Name of the metric, its key in `History`. Defaults to the class name in snake case.

    Raises:
        ValueError: If `dtype` is neither.

    Example:
        >>> class LargestError(Metric):
        ...     def reset_state(self):
        ...         self.largest = 0.0
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.largest = max(self.largest, float(abs(y_true - y_pred).max()))
        ...     def result(self):
        ...         return self.largest
        >>> import numpy as np
        >>> metric = LargestError()
        >>> metric.reset_state()
        >>> metric(np.array([1.0, 2.0]), np.array([1.0, 5.0]))
        3.0
    """

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        if dtype not in (None, "float32"):
            raise ValueError(f"`dtype` must be 'float32' or None. Received: dtype={dtype!r}")
        self.name = name or auto_name(type(self).__name__)
        self.dtype = "float32"

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take another batch into account.

        Args:
            *args: Labels, predictions and sample weights; of `Mean` and `Sum`, values and weights.
            **kwargs: The same by name.
        """
        raise NotImplementedError(f"`{type(self).__name__}` must implement `update_state`.")

    def result(self) -> Any:
        """Return the metric of all batches since the last reset: a float, or an array."""
        raise NotImplementedError(f"`{type(self).__name__}` must implement `result`.")

    def reset_state(self) -> None:
        """Forget all batches."""
        raise NotImplementedError(f"`{type(self).__name__}` must implement `reset_state`.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update the state and return the result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make a metric from the result of `get_config`.

        Args:
            config: Dict of the constructor's arguments.

        Returns:
            A metric.
        """
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
