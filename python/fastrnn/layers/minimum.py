"""The smallest of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.merge import Extremum
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class Minimum(Extremum):
    """Takes the smallest of its inputs, element by element.

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
        >>> Minimum()([[[3.0]], [[2.0]]]).tolist()
        [[2.0]]
    """

    _choose, _is_kept = np.minimum, np.less_equal


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the smallest of the inputs; see `Minimum`.

    Args:
        inputs: List of arrays or of symbolic tensors.
        **kwargs: Arguments of `Minimum`.

    Returns:
        An array or a symbolic tensor.

    Example:
        >>> minimum([[[3.0]], [[2.0]]]).tolist()
        [[2.0]]
    """
    return Minimum(**kwargs)(inputs)
