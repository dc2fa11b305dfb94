"""The rectified linear unit as a layer."""

from __future__ import annotations

from typing import Any

from fastrnn import activations
from fastrnn.arguments import check_number
from fastrnn.layers.elementwise import ElementwiseLayer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class ReLU(ElementwiseLayer):
    """Keeps what is above a threshold: `max(x, 0)` by default (Nair and Hinton, 2010).

    Args:
        max_value: Largest value of the output; None for none.
        negative_slope: Slope of the function of `x - threshold` below the threshold.
        threshold: Value from which on x is kept.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If one of the numbers is negative.

    Example:
        >>> ReLU(max_value=1.5, negative_slope=0.5)([[-1.0, 1.0, 2.0]])
        array([[-0.5,  1. ,  1.5]], dtype=float32)
    """

    activation = activations.relu
    activation_arguments = ("negative_slope", "max_value", "threshold")

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else check_number("max_value", max_value, 0.0)
        self.negative_slope = check_number("negative_slope", negative_slope, 0.0)
        self.threshold = check_number("threshold", threshold, 0.0)
