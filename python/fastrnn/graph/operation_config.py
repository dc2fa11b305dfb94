"""Operations on symbolic tensors as plain values, in the form of Keras 3, and back."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn.layers.operation import Operation, function_named
from fastrnn.layers.operation import apply as apply_operation
from fastrnn.symbolic import Node

# Arguments that in Keras belong to the call; all others are the constructor's of the operation.
_OF_CALLS = {
    *("a", "condition", "constant_values", "data", "fill_value", "indices", "inputs", "operands"),
    *("output", "segment_ids", "start_indices", "target", "updates", "values", "variable"),
    *("weights", "x", "x1", "x2", "xs"),
}
_ALSO_OF_CALLS = {
    "arange": ("start", "stop", "step"),
    "get_item": ("key",),
    "isclose": ("rtol", "atol"),
    "linspace": ("start", "stop"),
}
# Modules of Keras's operations; what is not listed is in the first.
_MODULES = {
    "core": """cast convert_to_tensor scatter scatter_update slice slice_update stop_gradient
        unstack""",
    "linalg": "norm",
    "math": "erf logsumexp rsqrt segment_sum top_k",
    "nn": """binary_crossentropy categorical_crossentropy celu elu gelu glu hard_sigmoid hard_silu
        hard_swish hard_tanh leaky_relu log_sigmoid log_softmax moments normalize one_hot relu relu6
        selu sigmoid silu softmax softplus softsign sparse_categorical_crossentropy squareplus swish
        tanh_shrink threshold""",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}
# Names of functions that do not follow from those of Keras's classes.
_FUNCTIONS = {"AllClose": "allclose"}
# Arguments that Keras's classes have and functions here do not, by their only values.
_ONLY = {"sparse": False, "synchronized": False}


def operation_entry(operation: Operation, nodes: Sequence[Node], plain: Any) -> dict[str, Any]:
    """Return what Keras's config of a model says about an operation and its calls.

    Args:
        operation: The operation.
        nodes: Its calls.
        plain: Function that makes plain values of arguments.
    """
    of_calls = _of_calls(operation.function)
    calls, settings = [], {}
    for node in nodes:
        args, kwargs = operation.full_arguments(node.inputs)
        parameters = inspect.signature(function_named(operation.function)).parameters
        names = list(parameters)
        rest = next((n for n, p in parameters.items() if p.kind is p.VAR_POSITIONAL), None)
        given = list(zip([*names, *[rest] * len(args)], args, strict=False))
        of_call = [each for name, each in given if name in of_calls or name == rest]
        settings = {
            name: each
            for name, each in (*given, *kwargs.items())
            if name not in of_calls and name != rest
        }
        if operation.function == "get_item":
            key = of_call[1]
            of_call[1] = [key] if isinstance(key, list) else key  # Keras takes a list for a tuple
        named = {name: each for name, each in kwargs.items() if name in of_calls}
        calls.append({"args": plain(of_call), "kwargs": plain(named)})
    return {
        "module": f"keras.src.ops.{_MODULE_OF.get(operation.function, 'numpy')}",
        "class_name": operation.class_name,
        "config": {"name": operation.name, **plain(settings)},
        "registered_name": operation.class_name,
        "name": operation.name,
        "inbound_nodes": calls,
    }


def _of_calls(function: str) -> set[str]:
    return {*_OF_CALLS, *_ALSO_OF_CALLS.get(function, ())}


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry of a config is an operation of Keras and not a layer.

    HDF5 files name no modules: there an operation is what says nothing about `trainable`.
    """
    if (module := entry.get("module")) is not None:
        return str(module).startswith("keras.src.ops.")
    calls = entry.get("inbound_nodes")
    is_layer = not {"trainable", "layers", "batch_shape"}.isdisjoint(entry.get("config", {}))
    is_called = isinstance(calls, list) and bool(calls) and isinstance(calls[0], Mapping)
    return is_called and not is_layer and _has_function(str(entry.get("class_name")))


def _function_of(class_name: str) -> str:
    """Return the name that the function of an operation's class would have."""
    return _FUNCTIONS.get(class_name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()


def _has_function(class_name: str) -> bool:
    try:
        function_named(_function_of(class_name))
    except ValueError:
        return False
    return True


def repeat_operation(
    entry: Mapping[str, Any], name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """Apply an operation of a config to symbolic tensors.

    Args:
        entry: What the config says about it.
        name: Its name.
        args: The positional arguments of the call.
        kwargs: The keyword arguments.

    Returns:
        Symbolic tensors.

    Raises:
        ValueError: If it is not supported.
    """
    class_name = entry["class_name"]
    function = _function_of(class_name)
    settings = {key: each for key, each in entry.get("config", {}).items() if key != "name"}
    try:
        parameters = inspect.signature(function_named(function)).parameters
    except ValueError:
        raise ValueError(f"the operation '{name}' of class {class_name} is not supported") from None
    for key in [key for key in settings if key not in parameters]:
        value = settings.pop(key)
        if value not in (None, _ONLY.get(key)) and key != "dtype":
            raise ValueError(
                f"the operation '{name}' of class {class_name} has {key}={value!r}, which is not "
                "supported"
            )
    if function == "einsum":
        return apply_operation(function, [settings["subscripts"], *args], {}, name)
    of_calls = [key for key in parameters if key in _of_calls(function)]
    if len(args) > len(of_calls):
        raise ValueError(f"the operation '{name}' of class {class_name} has {len(args)} arguments")
    named = dict(zip(of_calls, args, strict=False))
    return apply_operation(function, [], {**named, **kwargs, **settings}, name)


def plain_constant(value: Any) -> Any:
    """Return an argument that is no tensor in the form of Keras's files.

    Args:
        value: Number, name, slice, array and the like.

    Raises:
        ValueError: If it cannot be written.
    """
    if isinstance(value, slice):
        names = ("start", "stop", "step")
        config = {name: plain_constant(getattr(value, name)) for name in names}
        return {"class_name": "__slice__", "config": config}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        config = {"value": value.tolist(), "dtype": value.dtype.name}
        return {"class_name": "__numpy__", "config": config}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    return value


def constant_of(config: Mapping[str, Any]) -> Any:
    """Return what `plain_constant` made a dict of; any other dict stays as it is."""
    kind, inner = config.get("class_name"), config.get("config")
    if kind == "__slice__" and isinstance(inner, Mapping):
        return slice(*(inner.get(name) for name in ("start", "stop", "step")))
    if kind == "__ellipsis__":
        return Ellipsis
    if kind in ("__numpy__", "__tensor__") and isinstance(inner, Mapping):
        return np.array(inner["value"], inner["dtype"])
    return config
