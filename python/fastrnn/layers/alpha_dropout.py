"""Dropout that keeps mean and variance of what a SELU returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.dropout import Dropout
from fastrnn.layers.serialization import serializable

# What a SELU returns far below 0: -scale * alpha of Klambauer et al., 2017.
_DROPPED = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717


@serializable("keras.layers")
class AlphaDropout(Dropout):
    """Sets elements to the lowest value of a SELU while training, and scales and shifts all.

    With inputs of mean 0 and variance 1 those of the outputs are the same (Klambauer et al., 2017,
    section 3).

    Args:
        rate: Probability, in [0, 1).
        noise_shape: Shape of the mask, as for `Dropout`.
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.
        training: Whether dropout is active.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If `rate` is not a number in [0, 1), or `noise_shape` or `seed` is not valid.

    Example:
        >>> AlphaDropout(0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, noise_shape, seed, **kwargs)
        if self.rate == 1.0:
            raise ValueError(
                "`rate` of AlphaDropout must be below 1, where nothing is left to scale. "
                f"Received: rate={rate!r}"
            )

    def forward(
        self, x: np.ndarray, training: bool = False
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Drop elements while training. The cache is the factor of each, or None for none."""
        if not training or self.rate == 0.0:
            return x, None
        kept = self._noise(x.shape) != 0
        scale = ((1.0 - self.rate) * (1.0 + self.rate * _DROPPED**2)) ** -0.5
        shift = -scale * _DROPPED * self.rate
        y = np.where(kept, x, np.float32(_DROPPED)) * np.float32(scale) + np.float32(shift)
        return y, kept * np.float32(scale)
