"""Random zeros during training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.layers.layer import Layer
from fastrnn.random import make_seed


class Dropout(Layer):
    """Sets elements to 0 with probability `rate` while training, and scales up the others.

    The others become `x / (1 - rate)`, so that the expected sum stays (Srivastava et al., 2014).
    Without `training=True` the output is the input.

    Args:
        rate: Probability, in [0, 1].
        noise_shape: Shape of the mask; None for the input's. A size of 1 shares the mask along
            that dimension, a None stands for the input's size.
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`, `input_shape`.

    Raises:
        ValueError: If `rate` is not a number in [0, 1], or `noise_shape` or `seed` is not valid.

    Example:
        >>> Dropout(0.5)([[1.0, 2.0]])
        array([[1., 2.]], dtype=float32)
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(rate, (int, float, np.number)) or not 0 <= rate <= 1:
            raise ValueError(f"`rate` must be a number between 0 and 1. Received: rate={rate!r}")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer))):
            raise ValueError(f"`seed` must be an integer or None. Received: seed={seed!r}")
        if noise_shape is not None and not (
            isinstance(noise_shape, (tuple, list))
            and all(size is None or (isinstance(size, int) and size > 0) for size in noise_shape)
        ):
            raise ValueError(
                "`noise_shape` must be a tuple of positive integers and None. "
                f"Received: noise_shape={noise_shape!r}"
            )
        self.rate = float(rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.built = True  # there are no weights to make
        self._generator = np.random.default_rng(make_seed() if seed is None else abs(int(seed)))

    def forward(
        self, x: np.ndarray, training: bool = False
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Apply a new mask while training. The cache is the mask, or None for no dropout."""
        if not training or self.rate == 0.0:
            return x, None
        mask = self._mask(x.shape)
        return x * mask, mask

    def backward(
        self, cache: np.ndarray | None, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Apply the mask of `forward` to the gradient."""
        return (d_y if cache is None else d_y * cache), []

    def _mask(self, shape: tuple[int, ...]) -> np.ndarray:
        """Draw a mask of zeros and `1 / (1 - rate)`."""
        if self.noise_shape is not None:
            if len(self.noise_shape) != len(shape):
                raise ValueError(
                    f"`noise_shape` must have as many dimensions as the input, {len(shape)}. "
                    f"Received: noise_shape={self.noise_shape}"
                )
            shape = tuple(
                size if own is None else own
                for own, size in zip(self.noise_shape, shape, strict=True)
            )
        kept = self._generator.random(shape, dtype=np.float32) >= np.float32(self.rate)
        # At a rate of 1 nothing is kept, and the scale has no meaning.
        return kept * np.float32(1.0 / (1.0 - self.rate) if self.rate < 1.0 else 0.0)
