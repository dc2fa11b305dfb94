"""The largest of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.merge import Extremum
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Maximum(Extremum):
    """Takes the largest of its inputs, element by element.

    Inputs broadcast to one shape.

    A masked step of an input leaves the others as they are.

    Args:
        **kwargs: `name`.

    Call arguments:
        inputs: List of arrays.

    Returns of a call:
        Array of the shape to which the inputs broadcast.

    Raises:
        ValueError: If the inputs are not a list, or do not broadcast.

    Example:
        >>> Maximum()([[[3.0]], [[2.0]]]).tolist()
        [[3.0]]
    """

    _choose, _is_kept = np.maximum, np.greater_equal


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the largest of the inputs; see `Maximum`.

    Args:
        inputs: List of arrays or of symbolic tensors.
        **kwargs: Arguments of `Maximum`.

    Returns:
        An array or a symbolic tensor.

    Example:
        >>> maximum([[[3.0]], [[2.0]]]).tolist()
        [[3.0]]
    """
    return Maximum(**kwargs)(inputs)
