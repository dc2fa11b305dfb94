"""The weights of layers and the slots of optimizers: named float32 arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from fastrnn import tensors, tracing
from fastrnn.naming import auto_name


class Variable(NDArrayOperatorsMixin):
    """A named float32 array that optimizers update in place.

    `value` is the array itself and stays the same object for the life of the variable, so that
    kernels and optimizers may keep a reference to it. One that you make and set as an attribute of
    a layer or model of your own becomes one of its weights.

    Args:
        initializer: Initial contents, any shape, copied to float32 in C order; or a function of
            the shape that returns them, such as an initializer.
        shape: Tuple of sizes; needed for a function.
        dtype: Only float32 (or None).
        trainable: Whether training may change the variable. It may be set later; `has_gradient`
            stays what this was at first.
        autocast: Accepted for Keras's sake; without effect.
        aggregation: Likewise.
        synchronization: Likewise.
        name: Short name within its owner, such as `"kernel"`.
        layout: Only None.
        path: Full name, such as `"lstm/lstm_cell/kernel"`. One without belongs to nothing yet.
        regularizer: What adds a penalty on the contents to the loss, or None.
        constraint: What projects the contents after each update, or None.

    Raises:
        ValueError: If the contents are no numbers, or not of the shape, or `dtype` is another.

    Example:
        >>> kernel = Variable([[1.0, 2.0]], name="kernel")
        >>> kernel.shape
        (1, 2)
    """

    __slots__ = (
        "__weakref__",
        "constraint",
        "has_gradient",
        "name",
        "path",
        "regularizer",
        "trainable",
        "value",
    )

    _should_act_as_resource_variable = True  # `tf.GradientTape.gradient` then asks for `handle`

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = None,
        synchronization: str | None = None,
        name: str | None = None,
        layout: None = None,
        *,
        path: str | None = None,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> None:
        check_dtype(dtype)
        if layout is not None:
            raise ValueError(f"`layout` must be None. Received: layout={layout!r}")
        self.value: np.ndarray = np.array(_first(initializer, shape), dtype=np.float32, order="C")
        self.name = auto_name("variable") if name is None else name
        self.path = self.name if path is None else path
        self.trainable = trainable
        self.has_gradient = trainable
        self.regularizer = regularizer
        self.constraint = constraint

    @property
    def current(self) -> Any:
        """The contents; in a trace the traced array that stands for them."""
        return tracing.stand_in(self)

    @property
    def is_free(self) -> bool:
        """Whether it belongs to nothing yet: its path is its name alone."""
        return self.path == self.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each dimension."""
        return self.value.shape

    @property
    def dtype(self) -> str:
        """Name of the element type: always `"float32"`."""
        return "float32"

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.value.ndim

    def numpy(self) -> np.ndarray:
        """Return a copy of the contents."""
        return self.value.copy()

    def assign(self, value: npt.ArrayLike) -> None:
        """Overwrite the contents in place.

        Args:
            value: Numbers of exactly this variable's shape.

        Raises:
            ValueError: If the shape differs; the contents are then unchanged.
        """
        array = np.asarray(_contents(value), dtype=np.float32)
        if array.shape != self.shape:
            raise ValueError(
                f"Variable `{self.path}` has shape {self.shape}. Received: shape={array.shape}"
            )
        self.value[...] = array

    def assign_add(self, value: npt.ArrayLike) -> None:
        """Add to the contents in place.

        Args:
            value: Numbers of exactly this variable's shape.
        """
        self.assign(self.value + np.asarray(_contents(value), np.float32))

    def assign_sub(self, value: npt.ArrayLike) -> None:
        """Subtract from the contents in place.

        Args:
            value: Numbers of exactly this variable's shape.
        """
        self.assign(self.value - np.asarray(_contents(value), np.float32))

    def get_state(self) -> dict[str, Any]:
        """Return the contents as what a file can hold."""
        return {"value": self.numpy()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Bring back what `get_state` returned.

        Args:
            state: The dict.
        """
        self.assign(state["value"])

    # What the tracer asks of a traced array; -2 is below the number of any trace.
    _trace = property(lambda self: getattr(self.current, "_trace", -2))
    _node = property(lambda self: getattr(self.current, "_node", None))
    _value = property(lambda self: getattr(self.current, "_value", self.value))

    # Operators are those of the array, save that a variable is equal to itself alone.
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        arrays = [each.current if isinstance(each, Variable) else each for each in inputs]
        if tensors.has_tensor(*arrays):
            return _OPERATORS[ufunc.__name__](*map(tensors.converted, arrays))
        if tracing.is_traced(*arrays):
            return getattr(tracing.namespace(*arrays), ufunc.__name__)(*arrays, **kwargs)
        return getattr(ufunc, method)(*arrays, **kwargs)

    @property
    def handle(self) -> Any:
        """What tapes of TensorFlow know the weight by."""
        return tensors.variable_of(self).handle

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return tensors.converted(self.current, dtype)

    def __getitem__(self, index: Any) -> Any:
        return self.current[index]

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return True

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if tracing.is_traced(self.current):
            raise TypeError(
                f"Weight `{self.path}` was given to a function that cannot be differentiated. Use "
                "operators and the functions of `fastrnn.ops`."
            )
        return np.array(self.value, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype=float32>"


def check_dtype(dtype: Any) -> None:
    """Refuse each `dtype` of a weight but float32 and None.

    Raises:
        ValueError: If it is another.
    """
    if dtype not in (None, "float32", np.float32, np.dtype(np.float32)):
        raise ValueError(f"`dtype` must be 'float32' or None. Received: dtype={dtype!r}")


def _first(initializer: Any, shape: Sequence[int] | None) -> Any:
    """Return the first contents of a variable, of the shape if one is given."""
    if callable(initializer):
        if shape is None:
            raise ValueError("`shape` must be given where `initializer` is a function of it.")
        initializer = initializer(tuple(shape))
    if isinstance(initializer, str):
        raise ValueError(
            "`initializer` must be an array or a function of the shape, such as "
            f"`fastrnn.initializers.get(name)`. Received: initializer={initializer!r}"
        )
    if shape is not None and np.shape(initializer) != tuple(shape):
        raise ValueError(
            f"`initializer` must give an array of shape {tuple(shape)}. "
            f"Received: shape={np.shape(initializer)}"
        )
    return initializer


# The operators behind the functions of NumPy that a variable's own operators call.
_OPERATORS: dict[str, Any] = {
    "absolute": operator.abs,
    "add": operator.add,
    "divide": operator.truediv,
    "floor_divide": operator.floordiv,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "matmul": operator.matmul,
    "multiply": operator.mul,
    "negative": operator.neg,
    "power": operator.pow,
    "remainder": operator.mod,
    "subtract": operator.sub,
}


def _contents(value: Any) -> Any:
    """Return what a variable is to become, without a history."""
    return value.value if isinstance(value, Variable) else tracing.plain(value)


tracing.STANDING_TYPES.append(Variable)
