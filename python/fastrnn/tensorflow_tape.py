"""Operations with a backward pass of their own, inside of what TensorFlow differentiates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def is_tensor(value: Any) -> bool:
    """Tell whether a value is a tensor of TensorFlow.

    Args:
        value: Any value.
    """
    tf = sys.modules.get("tensorflow")
    return tf is not None and hasattr(tf, "is_tensor") and bool(tf.is_tensor(value))


def native_on_tensors(
    forward: Callable[..., tuple[Any, Any]],
    backward: Callable[[Any, Any], Sequence[np.ndarray | None]],
    *inputs: Any,
) -> Any:
    """Call an operation on tensors, so that TensorFlow's tape knows its gradient.

    Args:
        forward: Takes arrays; returns a value (an array) and a cache.
        backward: Takes the cache and the gradient of the value; returns the gradient of each input,
            or None where there is none.
        inputs: Tensors of TensorFlow.

    Returns:
        The value, a tensor.
    """
    tf = sys.modules["tensorflow"]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def operation(*tensors: Any) -> Any:
        value, cache = forward(*(each.numpy() for each in tensors))

        def pullback(gradient: Any) -> list[Any]:
            found = backward(cache, gradient.numpy())
            return [
                tf.zeros_like(x) if d is None else tf.convert_to_tensor(d)
                for x, d in zip(tensors, found, strict=True)
            ]

        return tf.convert_to_tensor(value), pullback

    return operation(*inputs)
