"""The base of all metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar

from fastrnn import initializers
from fastrnn.configurable import Configurable
from fastrnn.losses import Loss
from fastrnn.naming import auto_name
from fastrnn.results import with_numpy
from fastrnn.state import get_attributes, is_code, set_attributes
from fastrnn.tensors import is_tensor
from fastrnn.tracing import plain, was_traced
from fastrnn.variable import Variable


class Metric(Configurable):
    """Base of all metrics: a number, or several, gathered over the batches of an epoch.

    Subclasses implement `update_state`, `result` and `reset_state`. One that gathers other things
    than numbers, strings and arrays, in lists, tuples or dicts, also implements `get_state` and
    `set_state`, by which `callbacks.BackupAndRestore` keeps it.

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

    config_arguments: tuple[str, ...] = ("name", "dtype")

    _settings: ClassVar[frozenset[str]] = frozenset({"name", "dtype"})
    """Attributes that no batch changes, and that need not be plain values."""

    sums: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold all that was gathered, as sums over the samples, if that is so."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "result" in vars(cls):
            cls.result = _as_result(cls.result)  # type: ignore[method-assign]
        if "update_state" in vars(cls):
            cls.update_state = _of_plain_arrays(cls.update_state)  # type: ignore[method-assign]

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        if dtype not in (None, "float32"):
            raise ValueError(f"`dtype` must be 'float32' or None. Received: dtype={dtype!r}")
        self.name = name or auto_name(type(self).__name__)
        self.dtype = "float32"
        self._variables: list[Variable] = []

    @property
    def variables(self) -> list[Variable]:
        """The variables that `add_weight` has made."""
        return list(self._variables)

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """Make a variable that `update_state` adds to; `reset_state` sets it to zeros.

        Args:
            shape: Its shape; scripts for older Keras give the name here.
            initializer: What it starts with, by name or as an object; zeros by default.
            dtype: Accepted; it is float32.
            name: Its name.

        Returns:
            The variable, with `assign`, `assign_add` and `assign_sub`.

        Example:
            >>> class Positives(Metric):
            ...     def __init__(self, name="positives", **kwargs):
            ...         super().__init__(name=name, **kwargs)
            ...         self.count = self.add_weight(name="count", initializer="zeros")
            ...     def update_state(self, y_true, y_pred, sample_weight=None):
            ...         self.count.assign_add((y_pred > 0.5).sum())
            ...     def result(self):
            ...         return self.count
            >>> import numpy as np
            >>> float(Positives()(np.zeros(3), np.array([0.2, 0.7, 0.9])))
            2.0
        """
        if isinstance(shape, str):
            shape, name = (), shape
        make = initializers.get("zeros" if initializer is None else initializer)
        found = make(tuple(shape))
        variable = Variable(
            plain(found), trainable=False, name=name or "variable", path=f"{self.name}/{name}"
        )
        self._variables.append(variable)
        return variable

    def add_variable(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """Do the same as `add_weight`.

        Args:
            shape: See `add_weight`.
            initializer: See `add_weight`.
            dtype: See `add_weight`.
            aggregation: Accepted.
            name: See `add_weight`.

        Returns:
            The variable.
        """
        return self.add_weight(shape, initializer, dtype, name)

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
        """Forget all batches: set the variables to zeros."""
        if self._variables:
            for variable in self._variables:
                variable.value[...] = 0
            return
        raise NotImplementedError(f"`{type(self).__name__}` must implement `reset_state`.")

    def get_state(self) -> dict[str, Any]:
        """Return what was gathered since the last reset, as plain values and arrays.

        By default these are all attributes of the object but `name`, `dtype`, functions and losses.

        Raises:
            TypeError: If an attribute holds something else; the message names it.

        Example:
            >>> from fastrnn.metrics import Mean
            >>> mean, other = Mean(), Mean()
            >>> mean.update_state([1.0, 3.0])
            >>> other.set_state(mean.get_state())
            >>> other.result()
            2.0
        """
        return get_attributes(
            self,
            (
                name
                for name, value in vars(self).items()
                if name not in self._settings and not is_code(value) and not isinstance(value, Loss)
            ),
        )

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned, for a metric with the same arguments.

        Args:
            state: The dict that `get_state` returned.
        """
        set_attributes(self, state)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Update the state and return the result."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _as_result(result: Callable[..., Any]) -> Callable[..., Any]:
    """Let a metric return a variable or a tensor; what a user gets has `numpy()`."""

    @wraps(result)
    def computed(self: Metric) -> Any:
        value = result(self)
        if isinstance(value, Variable):
            value = value.numpy()[()]
        elif is_tensor(value):
            value = plain(value)
        return with_numpy(value)

    return computed


def _of_plain_arrays(update_state: Callable[..., None]) -> Callable[..., None]:
    """Let a metric take the arrays of a trace, and gather their values."""

    @wraps(update_state)
    def updated(self: Metric, *args: Any, **kwargs: Any) -> None:
        if was_traced():
            args = tuple(plain(each) for each in args)
            kwargs = {name: plain(each) for name, each in kwargs.items()}
        update_state(self, *args, **kwargs)

    return updated
