"""Random numbers added during training."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn.arguments import check_seed
from fastrnn.layers.dropout import generator_of, rate_of
from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import serializable


@serializable("keras.layers")
class GaussianNoise(Layer):
    """Adds a normal random number of mean 0 to each element while training.

    Args:
        stddev: Its standard deviation, in [0, 1].
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.
        training: Whether random numbers are added.

    Returns of a call:
        An array of the same shape.

    Raises:
        ValueError: If `stddev` is not a number in [0, 1] or `seed` is not valid.

    Example:
        >>> GaussianNoise(0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = rate_of("stddev", stddev)
        self.seed = check_seed(seed)
        self.built = True  # there are no weights to make
        self._generator = generator_of(self.seed)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, None]:
        """Add new noise while training."""
        if not training or self.stddev == 0.0:
            return x, None
        normal = self._generator.standard_normal(x.shape, dtype=np.float32)
        return x + np.float32(self.stddev) * normal, None

    def backward(
        self, cache: None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Return the gradient as it is."""
        return d_y, []
