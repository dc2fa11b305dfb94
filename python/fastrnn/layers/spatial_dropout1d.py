"""Dropout of features, at all steps of a sequence alike."""

from __future__ import annotations

from typing import Any

from fastrnn.layers.dropout import Dropout
from fastrnn.layers.layer import Shape
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class SpatialDropout1D(Dropout):
    """Sets features to 0 at all steps of a sequence alike, with probability `rate` while training.

    The others are scaled by `1 / (1 - rate)` (Tompson et al., 2014).

    Args:
        rate: Probability, in [0, 1].
        seed: Integer, or None to draw one.
        name: Unique name in its model.
        dtype: Name of a policy of dtypes; without effect here.

    Call arguments:
        inputs: `[batch, steps, features]`.
        training: Whether dropout is active.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If `rate` is not a number in [0, 1] or `seed` is not valid.

    Example:
        >>> SpatialDropout1D(0.5)([[[1.0, 2.0]]])
        array([[[1., 2.]]], dtype=float32)
    """

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(rate, (None, 1, None), seed, name=name, dtype=dtype)

    def check_input_shape(self, shape: Shape) -> None:
        """Refuse what is not `[batch, steps, features]`."""
        if len(shape) != 3:
            raise ValueError(
                f"The input of layer '{self.name}' must have three dimensions, (batch, steps, "
                f"features). Received: shape={shape}"
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        dtype = self._dtype_config()
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": dtype}
