"""Activations that fastrnn does not have by name: functions of a user's own, and layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.activations.activation import Activation
from fastrnn.differentiable import Differentiable
from fastrnn.kernels.arrays import Floats
from fastrnn.results import with_numpy
from fastrnn.tracing import has_history


class OwnActivation(Activation):
    """A function of a user's own as an activation; its gradient comes from a trace.

    Args:
        function: Takes an array; returns one of its shape. Made of operators and `fastrnn.ops`, or
            of the functions of TensorFlow, PyTorch or JAX where these are imported.

    Example:
        >>> import numpy as np
        >>> cube = OwnActivation(lambda x: x**3)
        >>> cube.backward(np.float32([2]), np.float32([8]), np.float32([1]))
        array([12.], dtype=float32)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        name = getattr(function, "__name__", type(function).__name__)
        # No name of a built-in activation, by which kernels would take it for that one.
        self.__name__ = self.__qualname__ = f"<{name}>"
        self.function = function
        self._traced = Differentiable(function, f"Activation '{name}'")

    def __call__(self, x: npt.ArrayLike, *args: Any, **kwargs: Any) -> Any:
        """Apply the function; a traced array gives a traced one."""
        return self.function(x) if has_history(x) else with_numpy(self.compute(x))

    def compute(self, x: npt.ArrayLike, *args: Any, **kwargs: Any) -> Floats:
        """Apply the function to an array.

        Raises:
            ValueError: If it returns an array of another shape.
        """
        given = np.asarray(x, dtype=np.float32)
        y = np.asarray(self.function(given), dtype=np.float32)
        if y.shape != given.shape:
            raise ValueError(
                f"The activation `{self.__name__}` must return an array of the shape of its "
                f"argument. Received: {y.shape} for {given.shape}"
            )
        return y

    def backward(self, x: Floats, y: Floats, d_y: Floats, **kwargs: Any) -> Floats:
        """Return the gradient with respect to x, from a trace of the function."""
        (gradient,) = self._traced.vjp(np.asarray(x))[1](d_y)
        return gradient

    def __reduce__(self) -> Any:
        return type(self), (self.function,)


class LayerActivation(OwnActivation):
    """A layer without weights as an activation: `Dense(8, activation=LeakyReLU())`.

    Args:
        layer: Element-wise layer, such as LeakyReLU, ReLU, ELU or Activation.

    Raises:
        ValueError: If it has weights.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__(layer)
        if not layer.built or layer.weights:
            raise ValueError(
                "The layer of an activation must be element-wise, without weights: add the layer "
                f"{layer.name!r} after this one. Received: activation={layer!r}"
            )

    def compute(self, x: npt.ArrayLike, *args: Any, **kwargs: Any) -> Floats:
        """Apply the layer to an array."""
        y: Floats = self.function.forward(np.asarray(x, dtype=np.float32))[0]  # type: ignore[attr-defined]
        return y

    def backward(self, x: Floats, y: Floats, d_y: Floats, **kwargs: Any) -> Floats:
        """Return the gradient with respect to x, from the layer's own backward pass."""
        layer: Any = self.function
        gradient: Floats = layer.backward(layer.forward(np.asarray(x))[1], d_y)[0]
        return gradient
