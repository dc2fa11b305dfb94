"""The leaky rectified linear unit as a layer."""

from __future__ import annotations

from typing import Any

from fastrnn import activations
from fastrnn.arguments import check_number
from fastrnn.layers.elementwise import ElementwiseLayer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class LeakyReLU(ElementwiseLayer):
    """Returns x where it is positive, else `negative_slope * x` (Maas et al., 2013).

    Args:
        negative_slope: Slope below 0. `alpha` is its older name.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If the slope is negative or no number.

    Example:
        >>> LeakyReLU(0.5)([[-1.0, 2.0]])
        array([[-0.5,  2. ]], dtype=float32)
    """

    activation = activations.leaky_relu
    activation_arguments = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = check_number("negative_slope", slope, 0.0)
