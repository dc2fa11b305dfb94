"""The kernels inside TensorFlow: Python functions with a gradient of their own.

In a graph they are calls back into this process. They cannot be compiled by XLA, and a graph that
has been saved cannot call them.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from fastrnn.keras.backend import called_by
from fastrnn.keras.walk import Walk
from fastrnn.kernels.tape_owner import TapeOwner, tape_owner

_EXPORTERS = ("keras.src.export", "tensorflow.python.saved_model", "tf2onnx")

_FLOAT = tf.float32


def reason_against(*_: Any) -> str | None:
    """Return why the kernels cannot compute with tensors; None if they can."""
    return "TensorFlow uses a GPU" if _has_gpu() else None


@functools.cache  # its devices stay as they are
def _has_gpu() -> bool:
    return bool(tf.config.list_logical_devices("GPU"))


def is_exporting(tensor: Any) -> bool:
    """Return whether a graph is being made for other processes, in which it cannot call this one.

    Args:
        tensor: An input of the layer.
    """
    return not tf.executing_eagerly() and called_by(*_EXPORTERS)


def run(walk: Walk, floats: list[Any], others: list[Any], keep_tape: bool) -> list[Any]:
    """Run the kernels on tensors.

    Args:
        walk: What to compute.
        floats: As in `Walk.forward`.
        others: As in `Walk.forward`.
        keep_tape: Whether a backward pass is likely. Without a tape it walks forward again.

    Returns:
        The outputs and the last states.
    """
    shapes = walk.output_shapes(floats[0].shape, floats[2].shape[0])

    @tf.custom_gradient
    def call(*floats: Any) -> Any:
        *results, handle = _call(_Forward(walk, len(floats), keep_tape), [*floats, *others])
        for result, shape in zip(results, shapes, strict=True):
            result.set_shape(shape)

        def gradient(*d_results: Any) -> Any:
            return _gradients(_Backward(walk, len(floats)), d_results, floats, others, handle)

        return results, gradient

    # Weights are variables where no graph is made; the gradient goes through what is read here.
    return list(call(*map(tf.convert_to_tensor, floats)))


def _gradients(
    backward: _Backward,
    d_results: tuple[Any, ...],
    floats: tuple[Any, ...],
    others: Any,
    handle: Any,
) -> Any:
    """Return the gradients of `floats`, with an error in place of gradients of their own.

    TensorFlow takes calls of Python functions for constants, and would leave a part of a second
    derivative out without a word.
    """

    @tf.custom_gradient
    def call(*tensors: Any) -> Any:
        gradients = _call(backward, [*tensors, *others, handle])
        for gradient, tensor in zip(gradients, floats, strict=True):
            gradient.set_shape(tensor.shape)

        def refuse(*_: Any) -> Any:
            raise RuntimeError(
                "fastrnn's recurrent layers have first derivatives only. For second ones let the "
                "model run Keras's own layers: `fastrnn.keras.restore(model)`."
            )

        return gradients, refuse

    return call(*d_results, *floats)


class _Forward:
    """`Walk.forward` on a flat list of arrays."""

    def __init__(self, walk: Walk, floats: int, keep_tape: bool) -> None:
        self._walk, self._floats, self._keep_tape = walk, floats, keep_tape
        self.types = [_FLOAT] * (1 + walk.states) + [tf.int64]

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        floats, others = arrays[: self._floats], arrays[self._floats :]
        result = self._walk.forward(floats, others, self._keep_tape)
        handle = TapeOwner(result.tape, numbered=True).array()
        return [result.outputs, *result.states, handle]


class _Backward:
    """`Walk.backward` on a flat list of arrays."""

    def __init__(self, walk: Walk, floats: int) -> None:
        self._walk, self._results, self._floats = walk, 1 + walk.states, floats
        self.types = [_FLOAT] * floats

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        *arrays_before, handle = arrays
        owner = tape_owner(int(handle[0]))
        end = self._results + self._floats
        return self._walk.backward(
            None if owner is None else owner.take(),
            arrays_before[self._results : end],
            arrays_before[end:],
            arrays_before[: self._results],
        )


def _call(function: _Forward | _Backward, tensors: list[Any]) -> list[Any]:
    """Call a function of NumPy arrays on tensors, which share their memory with the arrays."""
    if tf.executing_eagerly():
        results = function(*map(np.asarray, tensors))
        return [tf.convert_to_tensor(result) for result in results]
    return list(tf.numpy_function(function, tensors, function.types))
