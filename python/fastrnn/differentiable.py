"""Functions of the user's with their derivatives, whichever library they are written in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from fastrnn.tracing import Pullback, as_gradient, trace_runs, vjp


class Differentiable:
    """A function of the user's with its derivative, whichever library it is written in.

    A function made of `fastrnn.ops` and operators is traced. Where that fails and TensorFlow,
    PyTorch or JAX is loaded, their own tapes are tried, and kept if they succeed.

    Args:
        function: Takes arrays; returns an array.
        name: What messages call it.
        engine: Which library is tried first.

    Attributes:
        engine: Which library succeeded.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        engine: Callable[..., tuple[Any, Pullback]] = vjp,
    ) -> None:
        self._function = function
        self._name = name
        self.engine = engine

    def vjp(self, *arrays: np.ndarray) -> tuple[Any, Pullback]:
        """Return value and pullback, as the function `vjp`.

        Args:
            arrays: Float32 arrays.

        Raises:
            TypeError: If no library can differentiate the function.
        """
        try:
            with trace_runs():
                return self.engine(self._function, *arrays)
        except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
            if self.engine is vjp:
                for name, engine in _OTHERS.items():
                    if name not in sys.modules:
                        continue
                    try:
                        with trace_runs():
                            found = engine(self._function, *arrays)
                    except Exception:  # not its functions either
                        continue
                    self.engine = engine
                    return found
            raise TypeError(
                f"{self._name} cannot be differentiated: {type(error).__name__}: {error}. It must "
                "be made of operators and of functions of `fastrnn.ops`, which has those of "
                "`keras.ops`; those of another library work where it is imported."
            ) from error


def _vjp_of_tensorflow(
    function: Callable[..., Any], *arrays: np.ndarray
) -> tuple[np.ndarray, Pullback]:
    tf = sys.modules["tensorflow"]
    inputs = [tf.convert_to_tensor(array) for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = function(*inputs)
    several = isinstance(value, list | tuple)
    ends = list(value) if several else [value]
    if not all(map(tf.is_tensor, ends)):
        raise TypeError("it returns no tensor of TensorFlow")

    def pullback(gradient: Any) -> tuple[np.ndarray, ...]:
        given = list(map(tf.convert_to_tensor, gradient if several else [gradient]))
        found = tape.gradient(ends, inputs, given)
        if all(each is None for each in found):
            raise TypeError("A function has no derivative: TensorFlow lost sight of its arguments.")
        found = [tf.zeros_like(x) if d is None else d for x, d in zip(inputs, found, strict=True)]
        return tuple(
            as_gradient(each.numpy(), array) for each, array in zip(found, arrays, strict=True)
        )

    values = [end.numpy() for end in ends]
    return type(value)(values) if several else values[0], pullback


def _vjp_of_torch(function: Callable[..., Any], *arrays: np.ndarray) -> tuple[np.ndarray, Pullback]:
    torch = sys.modules["torch"]
    inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
    value = function(*inputs)
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        raise TypeError("it returns no tensor of PyTorch that depends on its arguments")

    def pullback(gradient: Any) -> tuple[np.ndarray, ...]:
        found = torch.autograd.grad(
            value, inputs, torch.tensor(gradient), allow_unused=True, materialize_grads=True
        )
        return tuple(
            as_gradient(each.numpy(), array) for each, array in zip(found, arrays, strict=True)
        )

    return value.detach().numpy(), pullback


def _vjp_of_jax(function: Callable[..., Any], *arrays: np.ndarray) -> tuple[np.ndarray, Pullback]:
    jax = sys.modules["jax"]
    value, pull = jax.vjp(function, *arrays)

    def pullback(gradient: Any) -> tuple[np.ndarray, ...]:
        found = pull(np.asarray(gradient, np.asarray(value).dtype))
        return tuple(as_gradient(each, array) for each, array in zip(found, arrays, strict=True))

    return np.asarray(value), pullback


_OTHERS: dict[str, Callable[..., tuple[Any, Pullback]]] = {
    "tensorflow": _vjp_of_tensorflow,
    "torch": _vjp_of_torch,
    "jax": _vjp_of_jax,
}
