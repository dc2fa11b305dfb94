"""Softmax as a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import activations
from fastrnn.layers.elementwise import ElementwiseLayer
from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.serialization import serializable

# As large as Keras's: exp of it is 0.
_MASKED_SCORE = np.float32(-1e9)


@serializable("keras.layers")
class Softmax(ElementwiseLayer):
    """Turns scores into probabilities: `exp(x) / sum(exp(x))` (Bridle, 1990).

    Args:
        axis: Dimension, or dimensions, whose entries add up to 1.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.
        mask: Which scores count, of a shape that broadcasts to that of the inputs; the others get
            the probability 0. As in Keras a mask `[batch, steps]` does not fit sequences
            `[batch, steps, features]`: use `Activation("softmax")` on those.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If `axis` or the mask is not valid.

    Example:
        >>> Softmax()([[1.0, 1.0]])
        array([[0.5, 0.5]], dtype=float32)
    """

    activation = activations.softmax
    uses_mask = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not axes or not all(type(each) is int for each in axes):
            raise ValueError(
                f"`axis` must be an integer or a list of them. Received: axis={axis!r}"
            )
        self.axis = axis

    @property
    def _arguments(self) -> dict[str, Any]:
        if self.activation is activations.linear:
            return {}
        return {"axis": tuple(self.axis) if isinstance(self.axis, list) else self.axis}

    @property
    def takes_padding(self) -> bool:
        """Whether padding reaches no own step: where the axis is that of the features."""
        return self.output_activation == "softmax"

    def _checked_arguments(
        self, x: np.ndarray, mask: Any = None, training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        if mask is not None:
            # Numbers count from 0.5 on, as in Keras.
            mask = as_numbers(mask, "mask") > 0.5
        return (), {"training": training, "mask": mask}

    def forward(
        self, x: np.ndarray, training: bool = False, mask: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """Apply the activation. The cache is the input, the output and the mask.

        Args:
            x: Array, as `as_input` returns it.
            training: Whether dropout and the like are active.
            mask: Booleans that broadcast to the shape of x, or None.
        """
        if mask is None:
            y, cache = super().forward(x, training)
            return y, (*cache, None)
        sizes = zip(mask.shape[::-1], x.shape[::-1], strict=False)
        if mask.ndim > x.ndim or any(own not in (1, size) for own, size in sizes):
            raise ValueError(
                f"`mask` of layer '{self.name}' must broadcast to the shape of the inputs, "
                f"{x.shape}. Received: shape={mask.shape}"
            )
        scores, cache = super().forward(np.where(mask, x, _MASKED_SCORE), training)
        return np.where(mask, scores, np.float32(0.0)), (*cache, mask)

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Go back through `forward`."""
        x, y, mask = cache
        d_x, _ = super().backward((x, y), d_y, input_gradient)
        if d_x is not None and mask is not None:
            d_x = d_x * mask
        return d_x, []

    @property
    def output_activation(self) -> str | None:
        """Its name, if the probabilities are along the last dimension."""
        return "softmax" if self.axis in (-1, [-1], (-1,)) else None
