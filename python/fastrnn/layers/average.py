"""The mean of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.merge import Merge
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Average(Merge):
    """Takes the mean of its inputs, element by element.

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
        >>> Average()([[[1.0]], [[2.0]]]).tolist()
        [[1.5]]
    """

    def _merge(self, x: list[np.ndarray]) -> tuple[np.ndarray, Any]:
        y = x[0]
        for each in x[1:]:
            y = y + each
        return y / np.float32(len(x)), None

    def _unmerge(self, kept: Any, d_y: np.ndarray, count: int) -> Sequence[np.ndarray]:
        return [d_y / np.float32(count)] * count


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the mean of the inputs; see `Average`.

    Args:
        inputs: List of arrays or of symbolic tensors.
        **kwargs: Arguments of `Average`.

    Returns:
        An array or a symbolic tensor.

    Example:
        >>> average([[[1.0]], [[2.0]]]).tolist()
        [[1.5]]
    """
    return Average(**kwargs)(inputs)
