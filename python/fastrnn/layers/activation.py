"""An activation as a layer of its own."""

from __future__ import annotations

from typing import Any

from fastrnn import activations
from fastrnn.layers.elementwise import ElementwiseLayer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Activation(ElementwiseLayer):
    """Applies an activation to its input.

    Args:
        activation: Name or function of `fastrnn.activations`; None for none.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If the activation is not known, or changes the shape.

    Example:
        >>> Activation("relu")([[-1.0, 2.0]])
        array([[0., 2.]], dtype=float32)
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.of_layer(activation)

    @property
    def output_activation(self) -> str:
        """Name of the activation."""
        return self.activation.__name__
