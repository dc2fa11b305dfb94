"""A penalty on what passes through."""

from __future__ import annotations

from typing import Any

from fastrnn.layers.identity import Identity
from fastrnn.layers.serialization import serializable
from fastrnn.regularizers import L1L2


@serializable("keras.layers")
class ActivityRegularization(Identity):
    """Returns its input, and adds `(l1 * sum(abs(x)) + l2 * sum(square(x))) / batch` to the loss.

    Args:
        l1: Factor of the first term.
        l2: Factor of the second term.
        **kwargs: `name`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.

    Returns of a call:
        The same array.

    Raises:
        ValueError: If a factor is not a finite number of at least 0.

    Example:
        >>> ActivityRegularization(l2=0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        config = super().get_config()
        del config["activity_regularizer"]  # the two factors say it
        return config
