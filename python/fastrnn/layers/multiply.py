"""The product of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.merge import MaskedMerge
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Multiply(MaskedMerge):
    """Multiplies its inputs, element by element.

    Inputs broadcast to one shape.

    A masked step of an input leaves the others as they are; where all inputs are masked the product
    is 0.

    Args:
        **kwargs: `name`.

    Call arguments:
        inputs: List of arrays.

    Returns of a call:
        Array of the shape to which the inputs broadcast.

    Raises:
        ValueError: If the inputs are not a list, or do not broadcast.

    Example:
        >>> Multiply()([[[3.0]], [[2.0]]]).tolist()
        [[6.0]]
    """

    def _merge_masked(
        self, x: list[np.ndarray], masks: list[np.ndarray | None]
    ) -> tuple[np.ndarray, Any]:
        factors = [
            each if mask is None else np.where(mask, each, np.float32(1.0))
            for each, mask in zip(x, masks, strict=True)
        ]
        y = factors[0]
        for factor in factors[1:]:
            y = y * factor
        given = [mask for mask in masks if mask is not None]
        if len(given) == len(masks):
            # An entry that counts in no input is 0, as in Keras.
            counts = np.logical_or.reduce(np.broadcast_arrays(*given))
            y = np.where(counts, y, np.float32(0.0))
        return y, (factors, masks)

    def _unmerge(self, kept: Any, d_y: np.ndarray, count: int) -> Sequence[np.ndarray]:
        factors, masks = kept
        gradients = []
        for index, mask in enumerate(masks):
            d = d_y
            for factor in (*factors[:index], *factors[index + 1 :]):
                d = d * factor
            gradients.append(d if mask is None else np.where(mask, d, np.float32(0.0)))
        return gradients


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the product of the inputs; see `Multiply`.

    Args:
        inputs: List of arrays or of symbolic tensors.
        **kwargs: Arguments of `Multiply`.

    Returns:
        An array or a symbolic tensor.

    Example:
        >>> multiply([[[3.0]], [[2.0]]]).tolist()
        [[6.0]]
    """
    return Multiply(**kwargs)(inputs)
