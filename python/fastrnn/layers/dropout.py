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

    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if noise_shape is not None and not (
            isinstance(noise_shape, (tuple, list))
            and all(size is None or (isinstance(size, int) and size > 0) for size in noise_shape)
        ):
            raise ValueError(
                "`noise_shape` must be a tuple of positive integers and None. "
                f"Received: noise_shape={noise_shape!r}"
            )
        self.rate = rate_of("rate", rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed_of(seed)
        self.built = True  # there are no weights to make
        self._generator = generator_of(self.seed)

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
        """Draw a mask of the shape that `noise_shape` makes of the input's."""
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
        return draw_mask(self._generator, shape, self.rate)


def draw_mask(generator: np.random.Generator, shape: tuple[int, ...], rate: float) -> np.ndarray:
    """Draw a mask of zeros, with probability `rate`, and of `1 / (1 - rate)`."""
    kept = generator.random(shape, dtype=np.float32) >= np.float32(rate)
    # At a rate of 1 nothing is kept, and the scale has no meaning.
    return kept * np.float32(1.0 / (1.0 - rate) if rate < 1.0 else 0.0)


def generator_of(seed: int | None) -> np.random.Generator:
    """Return a generator of masks, from a seed that is drawn if there is none."""
    return np.random.default_rng(make_seed() if seed is None else abs(seed))


def rate_of(name: str, value: Any) -> float:
    """Return a rate of dropout as a float.

    Raises:
        ValueError: If it is no number in [0, 1].
    """
    if not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a number between 0 and 1. Received: {name}={value!r}")
    return float(value)


def seed_of(value: Any) -> int | None:
    """Return the seed of a layer's dropout.

    Raises:
        ValueError: If it is neither an integer nor None.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"`seed` must be an integer or None. Received: seed={value!r}")
    return int(value)
