"""Tensors of TensorFlow among arrays: scripts with `tf.GradientTape` and functions of `tf`.

Layers, losses and the functions of `fastrnn.ops` take such tensors, and are then one operation on
TensorFlow's tapes, with the gradient of their own backward pass. A weight has a tensor that stands
for it there. Nothing here imports TensorFlow: where the script has not, there are no tensors.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np


class _Running(threading.local):
    inside = False  # whether an operation runs, which works on arrays


_running = _Running()

_variables: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""For each weight that a tape has seen, the variable of TensorFlow that stands for it."""


def is_tensor(value: Any) -> bool:
    """Return whether a value is a tensor or variable of TensorFlow.

    Args:
        value: Any value.
    """
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or isinstance(value, np.ndarray):
        return False
    kinds = getattr(tensorflow, "Tensor", ()), getattr(tensorflow, "Variable", ())
    return isinstance(value, kinds)


def has_tensor(*values: Any) -> bool:
    """Return whether one of the values, or an entry of a list or dict among them, is a tensor.

    Args:
        values: Any values.
    """
    if "tensorflow" not in sys.modules:
        return False
    return any(
        has_tensor(*value)
        if isinstance(value, list | tuple)
        else has_tensor(*value.values())
        if isinstance(value, dict)
        else is_tensor(value)
        for value in values
    )


def records() -> bool:
    """Return whether a tape of TensorFlow records in this thread what is computed."""
    record = sys.modules.get("tensorflow.python.eager.record")
    return record is not None and not _running.inside and bool(record.could_possibly_record())


def depends_on_weights(tensor: Any) -> bool:
    """Return whether a tape follows a tensor back to what it watches.

    Args:
        tensor: The tensor.
    """
    record = sys.modules["tensorflow.python.eager.record"]
    return bool(record.should_record_backprop([tensor]))


def as_array(tensor: Any) -> np.ndarray:
    """Return the values of a tensor.

    Args:
        tensor: The tensor.

    Raises:
        TypeError: If it has none, within a `tf.function`.
    """
    if not hasattr(tensor, "numpy"):
        raise TypeError(
            "fastrnn computes with arrays, and a tensor within a `tf.function` has no values yet. "
            "Write `tf.config.run_functions_eagerly(True)` at the top of the script, or leave out "
            f"the decorator `@tf.function`. Received: {tensor!r}"
        )
    values: np.ndarray = tensor.numpy()
    return values


def converted(value: Any, dtype: Any = None) -> Any:
    """Return a tensor with the values of an array; a tensor as it is.

    Args:
        value: The array or tensor.
        dtype: Type of the elements; None for that of the array.
    """
    tensorflow: Any = sys.modules["tensorflow"]
    return tensorflow.convert_to_tensor(value, dtype)


def variable_of(weight: Any) -> Any:
    """Return the variable of TensorFlow that stands for a weight on tapes.

    Args:
        weight: The weight.
    """
    tensorflow: Any = sys.modules["tensorflow"]
    found = _variables.get(weight)
    if found is None:
        with tensorflow.init_scope():
            found = tensorflow.Variable(weight.value, name=weight.name)
        _variables[weight] = found
    return found


def tensor_of(weight: Any) -> Any:
    """Return a tensor with the values of a weight, which tapes follow if the weight is trained.

    Args:
        weight: The weight.
    """
    tensorflow: Any = sys.modules["tensorflow"]
    if not weight.trainable:
        return tensorflow.constant(weight.value)
    variable = variable_of(weight)
    variable.assign(weight.value)
    return variable.read_value()


def native(
    forward: Callable[..., tuple[Any, Any]],
    backward: Callable[[Any, Any], Sequence[Any]],
    *inputs: Any,
) -> Any:
    """Call an operation on tensors, so that a tape has its backward pass.

    Args:
        forward: Takes arrays; returns an array or a tuple of arrays, and a cache.
        backward: Takes the cache and the gradient of the value; returns the gradient of each input,
            or None where there is none.
        inputs: Tensors and arrays.

    Returns:
        A tensor, or a tuple of them.
    """
    tensorflow: Any = sys.modules["tensorflow"]

    def operation(*tensors: Any) -> tuple[Any, Any]:
        arrays = [as_array(tensor) for tensor in tensors]
        value, cache = _on_arrays(forward, *arrays)
        several = isinstance(value, tuple)
        outputs = [tensorflow.convert_to_tensor(each) for each in (value if several else [value])]

        def gradient(*d: Any) -> list[Any]:
            if records():
                raise NotImplementedError(
                    "Second derivatives are not computed: a tape records while another is asked "
                    "for gradients, as for the gradient penalty of WGAN-GP. Use a Wasserstein loss "
                    "with clipped weights, or ask after the `with` block of all tapes."
                )
            given = [as_array(tensorflow.convert_to_tensor(each)) for each in d]
            found = _on_arrays(backward, cache, tuple(given) if several else given[0])
            return [
                None
                if each is None or array.dtype.kind != "f"
                else tensorflow.convert_to_tensor(np.asarray(each, np.float32))
                for each, array in zip(found, arrays, strict=True)
            ]

        return (tuple(outputs) if several else outputs[0]), gradient

    return tensorflow.custom_gradient(operation)(*map(tensorflow.convert_to_tensor, inputs))


def _on_arrays(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function; what it calls does not look for tapes."""
    before = _running.inside
    _running.inside = True
    try:
        return function(*args)
    finally:
        _running.inside = before
