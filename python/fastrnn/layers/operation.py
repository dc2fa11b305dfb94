"""Functions of `fastrnn.ops` and operators on symbolic tensors, as layers without weights."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastrnn import ops, symbolic
from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.layer import Layer
from fastrnn.naming import auto_name
from fastrnn.symbolic import KerasTensor, flatten, map_shapes, map_structure
from fastrnn.tracing import Pullback, vjp

# Sizes that stand for one that is left open, in the order in which they are tried: a function may
# need a size that others divide.
_PROBES = ((5, 7), (60, 120), (1, 1))
# A position may be far from the start of an axis; views of so many steps cost nothing.
_PROBES_OF_POSITIONS = ((100_003, 100_019), (5, 7))

# Functions that call other functions: they would be called on symbolic tensors.
_OF_FUNCTIONS = frozenset(
    ("cond", "fori_loop", "map", "scan", "switch", "vectorized_map", "while_loop")
)


@dataclass(frozen=True)
class _Slot:
    """Stands for a tensor among the arguments of a function."""

    number: int


class Operation(Layer):
    """A function of `fastrnn.ops`, or an operator, with all of its arguments but the tensors.

    `x + y`, `x[:, -1]` and `ops.mean(x, axis=1)` on symbolic tensors make one each. As in Keras, no
    mask goes through it.

    Args:
        function: Name of a function of `fastrnn.ops`, or "get_item".
        arguments: Its positional and its keyword arguments, a `_Slot` in place of each tensor.
        dtypes: The types of the elements of the tensors.
        name: Unique name in its model, by default after Keras's class of the operation.
    """

    takes_list = True
    supports_masking = True  # takes them, so that nothing warns of a mask that `x[:, -1]` loses

    def __init__(
        self,
        function: str,
        arguments: tuple[Any, Any],
        dtypes: Sequence[str],
        name: str | None = None,
    ) -> None:
        self.class_name = class_name_of(function)
        super().__init__(name=auto_name(self.class_name) if name is None else name)
        self.function = function
        self.arguments = arguments
        self.dtypes = list(dtypes)
        self._function = function_named(function)
        self._known: dict[Any, tuple[Any, list[str], bool]] = {}
        self.built = True

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: nothing is known about that."""
        return False

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None: no mask goes through."""

    def full_arguments(self, tensors: Sequence[Any]) -> tuple[Any, Any]:
        """Return the positional and the keyword arguments with tensors or arrays at their places.

        Args:
            tensors: One for each place.
        """
        args, kwargs = map_structure(
            lambda leaf: tensors[leaf.number] if type(leaf) is _Slot else leaf, self.arguments
        )
        return args, kwargs

    def _apply(self, arrays: Sequence[Any]) -> Any:
        args, kwargs = self.full_arguments(arrays)
        return self._function(*args, **kwargs)

    # -------------------------------------------------------------------------- shapes and types

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the result, or of the results, by a call on arrays of such shapes.

        Args:
            input_shape: The shapes of the tensors; None for sizes left open.

        Raises:
            ValueError: If the function cannot take them.
        """
        shapes = tuple(map(tuple, input_shape))
        batch = shapes[0][0] if shapes[0] else None
        if batch is not None and all(shape and shape[0] == batch for shape in shapes):
            # Not by a call on so many samples.
            result, _, of_samples = self._result_of(tuple((None, *shape[1:]) for shape in shapes))
            if of_samples:
                return map_shapes(lambda shape: (batch, *shape[1:]), result)
        return self._result_of(shapes)[0]

    def _result_of(self, shapes: tuple[Any, ...]) -> tuple[Any, list[str], bool]:
        """Return the shape and the types of the result, and whether it has one row per sample."""
        if shapes not in self._known:
            if len(self._known) > 100:  # batches of ever new lengths
                self._known.clear()
            self._known[shapes] = self._inferred(shapes)
        return self._known[shapes]

    def _inferred(self, shapes: tuple[Any, ...]) -> tuple[Any, list[str], bool]:
        probes = _PROBES_OF_POSITIONS if self.function == "get_item" else _PROBES
        is_open = any(None in shape for shape in shapes)
        problem: Exception | None = None
        for sizes in probes:
            try:
                found = [self._probe(shapes, size) for size in (sizes if is_open else sizes[:1])]
            except Exception as error:
                problem = problem or error
                continue
            parts = [flatten(each) for each in found]
            first, last = ([part.shape for part in row] for row in (parts[0], parts[-1]))
            common = [
                tuple(a if a == b else None for a, b in zip(one, other, strict=True))
                for one, other in zip(first, last, strict=True)
            ]
            kind = type(found[0])
            dtypes = [_dtype_name(part.dtype) for part in parts[0]]
            rows = [[shape[0] if shape else None for shape in each] for each in (first, last)]
            of_samples = all(
                {*each} == {size} for each, size in zip(rows, (sizes[0], sizes[1]), strict=True)
            )
            return (kind(common) if kind in (list, tuple) else common[0]), dtypes, of_samples
        raise ValueError(
            f"`{self.function}` cannot be applied to tensors of the shapes {list(shapes)}: "
            f"{type(problem).__name__}: {problem}"
        ) from problem

    def _probe(self, shapes: tuple[Any, ...], size: int) -> Any:
        arrays = [
            np.broadcast_to(
                np.ones((), dtype), tuple(size if each is None else each for each in shape)
            )
            for shape, dtype in zip(shapes, self.dtypes, strict=True)
        ]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return map_structure(np.asarray, self._apply(arrays))

    def _record(self, node: Any, outputs: Any) -> Any:
        dtypes = self._result_of(tuple(tuple(tensor.shape) for tensor in node.inputs))[1]
        for tensor, dtype in zip(flatten(outputs), dtypes, strict=True):
            tensor.dtype = dtype
        return super()._record(node, outputs)

    # ------------------------------------------------------------------------------- computation

    def as_input(self, inputs: Any, name: str = "inputs") -> Any:
        """Convert arrays to the types of the tensors that they stand for."""
        given = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        return [
            np.ascontiguousarray(as_numbers(each, name), dtype)
            for each, dtype in zip(given, self.dtypes, strict=True)
        ]

    def infer(self, x: Sequence[np.ndarray], *_: Any) -> Any:
        """Return the result of the function.

        Args:
            x: The arrays.
        """
        return _contiguous(self._apply(x))

    call = infer

    def forward(
        self, x: Sequence[np.ndarray], training: bool = False
    ) -> tuple[Any, tuple[Pullback | None, list[int], int, list[Any]]]:
        """Return the result of the function and what `backward` needs.

        Args:
            x: The arrays.
            training: Without effect.
        """
        floats = [number for number, each in enumerate(x) if each.dtype.kind == "f"]
        if not floats:
            return self.infer(x), (None, floats, len(x), [])

        def function(*arrays: Any) -> Any:
            values = list(x)
            for number, array in zip(floats, arrays, strict=True):
                values[number] = array
            return self._apply(values)

        value, pullback = vjp(function, *[x[number] for number in floats])
        y = _contiguous(value)
        parts = flatten(y)
        smooth = any(part.dtype.kind == "f" for part in parts)
        shapes = [part.shape for part in parts]
        return y, (pullback if smooth else None, floats, len(x), shapes)

    def backward(
        self, cache: Any, d_y: Any, input_gradient: bool = True
    ) -> tuple[list[Any], list[np.ndarray]]:
        """Go back through `forward`; integers and booleans have no gradient."""
        pullback, floats, count, shapes = cache
        d_x: list[Any] = [None] * count
        if pullback is not None:
            if isinstance(d_y, (list, tuple)):
                d_y = [
                    np.zeros(shape, np.float32) if d is None else d
                    for d, shape in zip(d_y, shapes, strict=True)
                ]
            for number, gradient in zip(floats, pullback(d_y), strict=True):
                d_x[number] = gradient
        return d_x, []

    # ------------------------------------------------------------------------------------ config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; a model's config has Keras's form of them."""
        names = ("name", "function", "arguments", "dtypes")
        return {name: getattr(self, name) for name in names}


def apply(
    function: str, args: Sequence[Any], kwargs: dict[str, Any], name: str | None = None
) -> Any:
    """Record a call of a function on symbolic tensors.

    Args:
        function: Name of a function of `fastrnn.ops`, or "get_item".
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        name: Name of the operation.

    Returns:
        Symbolic tensors.

    Raises:
        TypeError: If the function cannot be applied to symbolic tensors.
        ValueError: If the shapes do not fit.
    """
    if function in _OF_FUNCTIONS or function == "convert_to_numpy":
        raise TypeError(
            f"`ops.{function}` cannot be applied to symbolic tensors: put it into the `call` of a "
            "layer of your own, or into a `Lambda`."
        )
    if function in _ABOUT_TENSORS:
        return _ABOUT_TENSORS[function](*args, **kwargs)
    tensors: list[KerasTensor] = []

    def slot_of(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        tensors.append(leaf)
        return _Slot(len(tensors) - 1)

    arguments = map_structure(slot_of, (tuple(args), dict(kwargs)))
    operation = Operation(function, arguments, [tensor.dtype for tensor in tensors], name)
    return operation(tensors)


# What these return is known without a call.
_ABOUT_TENSORS: dict[str, Callable[..., Any]] = {
    "shape": lambda x: x.shape,
    "ndim": lambda x: x.ndim,
    "is_tensor": lambda x: True,
    "size": lambda x: None if None in x.shape else int(np.prod(x.shape)),
    "convert_to_tensor": lambda x, dtype=None, **_: (
        x if dtype in (None, x.dtype) else x.astype(dtype)
    ),
}


def function_named(name: str) -> Callable[..., Any]:
    """Return a function of `fastrnn.ops` by its name.

    Raises:
        ValueError: If there is none.
    """
    if name == "get_item":
        return _get_item
    found = getattr(ops, name, None) or getattr(ops.nn, name, None)
    if found is None or name.startswith("_"):
        raise ValueError(f"`fastrnn.ops` has no function '{name}'")
    function: Callable[..., Any] = found
    return function


def class_name_of(function: str) -> str:
    """Return the name of Keras's class of an operation.

    Example:
        >>> class_name_of("expand_dims")
        'ExpandDims'
    """
    own = {"allclose": "AllClose", "swish": "Silu", "hard_swish": "HardSilu"}
    return own.get(function) or "".join(part.capitalize() for part in function.split("_"))


def _get_item(x: Any, key: Any) -> Any:
    return operator.getitem(x, tuple(key) if isinstance(key, list) else key)


def _contiguous(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(map(_contiguous, value))
    array = np.asarray(value, order="C")
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _dtype_name(dtype: np.dtype) -> str:
    return "float32" if dtype == np.float64 else str(dtype)


symbolic.on_operation(apply)
