"""Random factors during training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastrnn.layers.dropout import MultiplicativeNoise
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class GaussianDropout(MultiplicativeNoise):
    """Multiplies each element with a normal random number of mean 1 while training.

    Its variance is that of the factors of `Dropout`, `rate / (1 - rate)` (Srivastava et al.,
    2014, section 10).

    Args:
        rate: As for `Dropout`, in [0, 1).
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.
        training: Whether there are random factors.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If `rate` is not a number in [0, 1) or `seed` is not valid.

    Example:
        >>> GaussianDropout(0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate=rate, seed=seed, **kwargs)
        if self.rate == 1.0:
            raise ValueError(
                "`rate` of GaussianDropout must be below 1, where the variance is infinite. "
                f"Received: rate={rate!r}"
            )

    def _noise(self, shape: tuple[int, ...]) -> np.ndarray:
        deviation = np.float32(math.sqrt(self.rate / (1.0 - self.rate)))
        normal = self._generator.standard_normal(shape, dtype=np.float32)
        return np.float32(1.0) + deviation * normal
