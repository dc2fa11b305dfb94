"""Stand-ins for arrays that do not exist yet, and the record of the layers called on them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from fastrnn.naming import auto_name

_numbers = itertools.count()


_handler: Callable[[str, tuple[Any, ...], dict[str, Any]], Any] | None = None


def on_operation(handler: Callable[[str, tuple[Any, ...], dict[str, Any]], Any]) -> None:
    """Set what records operations on symbolic tensors in graphs.

    Args:
        handler: Takes the name of a function of `fastrnn.ops` (or "get_item"), its positional and
            its keyword arguments; returns symbolic tensors.
    """
    global _handler
    _handler = handler


def operation(function: str, *args: Any, **kwargs: Any) -> Any:
    """Record a call of a function on symbolic tensors and return what stands for its result.

    Args:
        function: Name of a function of `fastrnn.ops`, or "get_item".
        args: Its arguments.
        kwargs: Its keyword arguments.
    """
    assert _handler is not None, "symbolic tensors come from layers, which set it"
    return _handler(function, args, kwargs)


class KerasTensor:
    """Stands for an array while a graph of layers is made.

    `Input` returns one; a layer that is called on one returns others. Operators, indices and the
    functions of `fastrnn.ops` return others too: each is an operation of the graph. It has no
    values.

    Args:
        shape: Size of each dimension, the batch first; None where it is left open.
        dtype: Name of the type of its elements.
        name: Its name; by default `keras_tensor`, `keras_tensor_1` and so on.

    Attributes:
        node: The call that returns it.
        index: Its position among the outputs of that call.

    Example:
        >>> import fastrnn
        >>> x = fastrnn.Input((10, 3))
        >>> fastrnn.layers.LSTM(4)(x).shape
        (None, 4)
        >>> (1 - x[:, -1]).shape
        (None, 3)
    """

    __array_ufunc__ = None  # arrays of NumPy leave the operators to this class

    node: Node
    index: int

    def __init__(
        self, shape: tuple[int | None, ...], dtype: str = "float32", name: str | None = None
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self.name = auto_name("KerasTensor") if name is None else name

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def astype(self, dtype: str) -> KerasTensor:
        """Return the tensor with elements of another type.

        Args:
            dtype: Name of the type.
        """
        return self._result("cast", self, dtype)

    def reshape(self, newshape: Any) -> KerasTensor:
        """Return the elements in another shape.

        Args:
            newshape: Tuple of sizes; -1 for what is left.
        """
        return self._result("reshape", self, newshape)

    def squeeze(self, axis: Any = None) -> KerasTensor:
        """Return the tensor without axes of size 1.

        Args:
            axis: Which ones; None for all.
        """
        return self._result("squeeze", self, axis)

    @staticmethod
    def _result(function: str, *args: Any) -> KerasTensor:
        result: KerasTensor = operation(function, *args)
        return result

    def __getitem__(self, key: Any) -> KerasTensor:
        return self._result("get_item", self, key)

    def __neg__(self) -> KerasTensor:
        return self._result("negative", self)

    def __abs__(self) -> KerasTensor:
        return self._result("absolute", self)

    def __invert__(self) -> KerasTensor:
        return self._result("logical_not", self)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            f"{self!r} has no values: it stands for an array while a model is made. Make a "
            "`fastrnn.Model` of it and call that on arrays."
        )

    __array__ = __bool__ = __float__ = __int__ = __iter__ = __len__ = numpy = _refuse


def _operator(function: str, reflected: bool = False) -> Callable[[KerasTensor, Any], Any]:
    def method(self: KerasTensor, other: Any) -> Any:
        return operation(function, *((other, self) if reflected else (self, other)))

    return method


for _name, _function in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
    "and": "logical_and",
    "or": "logical_or",
    "xor": "logical_xor",
}.items():
    setattr(KerasTensor, f"__{_name}__", _operator(_function))
    setattr(KerasTensor, f"__r{_name}__", _operator(_function, reflected=True))
# As in Keras `==` compares the tensors themselves: graphs look for them in lists and dicts.
for _name, _function in {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "ne": "not_equal",
}.items():
    setattr(KerasTensor, f"__{_name}__", _operator(_function))


class Node:
    """One call of a layer on symbolic tensors.

    Args:
        layer: The layer.
        inputs: The tensors that it is called on; none for an InputLayer.
        listed: Whether the layer takes a list of arrays, not one array.
        training: What the call says about `training`, None if nothing.
        masks: The masks that the call gives for the inputs, or None.
        options: Further keyword arguments of the layer's `forward`.
        arguments: The positional and keyword arguments of the call, as they were given.

    Attributes:
        number: Larger than that of each call that was made before.
        outputs: The tensors that it returns, in one tuple whatever their structure.
        structure: What the call returned: a tensor, or a list, tuple or dict of them.
    """

    outputs: tuple[KerasTensor, ...]
    structure: Any

    def __init__(
        self,
        layer: Any,
        inputs: tuple[KerasTensor, ...] = (),
        listed: bool = False,
        training: bool | None = None,
        masks: tuple[KerasTensor | None, ...] | None = None,
        options: Mapping[str, Any] | None = None,
        arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {}),
    ) -> None:
        self.layer = layer
        self.inputs = inputs
        self.listed = listed
        self.training = training
        self.masks = masks
        self.options = dict(options or {})
        self.arguments = arguments
        self.number = next(_numbers)

    @property
    def parents(self) -> list[KerasTensor]:
        """All tensors among the arguments, in the order of `flatten`."""
        return [leaf for leaf in flatten(self.arguments) if isinstance(leaf, KerasTensor)]

    def returns(self, structure: Any) -> Any:
        """Set what the call returns, a structure of new tensors, and return it."""
        self.structure = structure
        self.outputs = tuple(flatten(structure))
        for index, tensor in enumerate(self.outputs):
            tensor.node, tensor.index = self, index
        return structure

    @property
    def is_input(self) -> bool:
        """Whether it is the node of an InputLayer."""
        return not self.inputs


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of lists, tuples and dicts in each other; dicts in the order of their keys.

    Example:
        >>> flatten([1, {"b": 3, "a": 2}, (4,)])
        [1, 2, 3, 4]
    """
    return list(_leaves(structure))


def _leaves(structure: Any) -> Iterator[Any]:
    if isinstance(structure, Mapping):
        structure = [structure[key] for key in sorted(structure)]
    elif not isinstance(structure, (list, tuple)):
        yield structure
        return
    for each in structure:
        yield from _leaves(each)


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """Return lists, tuples and dicts of the same form with a function's results at the leaves.

    The leaves are visited in the order of `flatten`.

    Example:
        >>> map_structure(lambda leaf: -leaf, {"b": (1,), "a": 2})
        {'b': (-1,), 'a': -2}
    """
    if isinstance(structure, Mapping):
        mapped = {key: map_structure(function, structure[key]) for key in sorted(structure)}
        return {key: mapped[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        items = [map_structure(function, each) for each in structure]
        return items if isinstance(structure, list) else tuple(items)
    return function(structure)


def pack(structure: Any, leaves: Any) -> Any:
    """Return lists, tuples and dicts of the same form with other leaves, in `flatten`'s order.

    Example:
        >>> pack({"b": 0, "a": [0, 0]}, [1, 2, 3])
        {'b': 3, 'a': [1, 2]}
    """
    supply = iter(leaves)
    return map_structure(lambda _: next(supply), structure)


def has_symbolic(*values: Any) -> bool:
    """Return whether one of some arguments is a symbolic tensor, or a collection with one."""
    for value in values:
        if isinstance(value, KerasTensor):
            return True
        if isinstance(value, Mapping):
            value = list(value.values())
        if isinstance(value, (list, tuple)) and any(
            isinstance(each, KerasTensor) for each in value
        ):
            return True
    return False


def is_shape(value: Any) -> bool:
    """Return whether a value is one shape, not a list, tuple or dict of several."""
    if isinstance(value, (tuple, list)):
        # The common case first: to ask for a Mapping takes ten times as long.
        return all(
            type(size) is int or size is None or not isinstance(size, (tuple, list, Mapping))
            for size in value
        )
    return not isinstance(value, Mapping)


def map_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """Return the results of a function for a shape, or for each in a list, tuple or dict of them.

    Example:
        >>> map_shapes(len, [(None, 2), (None, 3, 1)])
        [2, 3]
    """
    if is_shape(shapes):
        return function(shapes)
    if isinstance(shapes, Mapping):
        found = {key: map_shapes(function, shapes[key]) for key in sorted(shapes)}
        return {key: found[key] for key in shapes}
    mapped = [map_shapes(function, each) for each in shapes]
    return mapped if isinstance(shapes, list) else tuple(mapped)
