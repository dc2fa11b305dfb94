"""The exponential linear unit as a layer."""

from __future__ import annotations

from typing import Any

from fastrnn import activations
from fastrnn.layers.elementwise import ElementwiseLayer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class ELU(ElementwiseLayer):
    """Returns x where it is positive, else `alpha * (exp(x) - 1)` (Clevert et al., 2016).

    Args:
        alpha: Minus the value that is approached below 0.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        An array of the same shape.

    Example:
        >>> ELU(0.5)([[-100.0, 2.0]])
        array([[-0.5,  2. ]], dtype=float32)
    """

    activation = activations.elu
    activation_arguments = ("alpha",)

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha
