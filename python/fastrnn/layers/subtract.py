"""The difference of two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.merge import Merge
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Subtract(Merge):
    """Subtracts the second of two inputs from the first.

    Inputs broadcast to one shape.

    Args:
        **kwargs: `name`.

    Call arguments:
        inputs: List of arrays.

    Returns of a call:
        Array of the shape to which the inputs broadcast.

    Raises:
        ValueError: If the inputs are not a list, or do not broadcast.

    Example:
        >>> Subtract()([[[3.0]], [[2.0]]]).tolist()
        [[1.0]]
    """

    most_inputs = 2

    def _merge(self, x: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        return x[0] - x[1], None

    def _unmerge(self, kept: Any, d_y: np.ndarray, count: int) -> Sequence[np.ndarray]:
        return [d_y, -d_y]


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the difference of two inputs; see `Subtract`.

    Args:
        inputs: List of arrays or of symbolic tensors.
        **kwargs: Arguments of `Subtract`.

    Returns:
        An array or a symbolic tensor.

    Example:
        >>> subtract([[[3.0]], [[2.0]]]).tolist()
        [[1.0]]
    """
    return Subtract(**kwargs)(inputs)
