"""Random zeros during training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.arguments import check_seed
from fastrnn.layers.layer import Layer
from fastrnn.layers.serialization import serializable
from fastrnn.random import make_seed


class MultiplicativeNoise(Layer):
    """Base of the layers that multiply their input with random numbers while training.

    Args:
        rate: Probability, in [0, 1].
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`, `input_shape`.

    Raises:
        ValueError: If `rate` is not a number in [0, 1] or `seed` is not valid.
    """

    supports_masking = True

    def __init__(self, *, rate: float, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate_of("rate", rate)
        self.seed = check_seed(seed)
        self.built = True  # there are no weights to make
        self._generator = generator_of(self.seed)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Multiply with new noise while training. The cache is the noise, or None for none."""
        if not training or self.rate == 0.0:
            return x, None
        noise = self._noise(x.shape)
        return x * noise, noise

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Multiply the gradient with the noise of `forward`."""
        return (d_y if cache is None else d_y * cache), []

    def _noise(self, shape: tuple[int, ...]) -> np.ndarray:
        """Draw factors that broadcast to an input shape."""
        raise NotImplementedError(f"{type(self).__name__} must implement `_noise`.")


@serializable("keras.layers")
class Dropout(MultiplicativeNoise):
    """Sets elements to 0 with probability `rate` while training, and scales up the others.

    The others become `x / (1 - rate)`, so that the expected sum stays (Srivastava et al., 2014).
    Without `training=True` the output is the input.

    Args:
        rate: Probability, in [0, 1].
        noise_shape: Shape of the mask; None for the input's. A size of 1 shares the mask along
            that dimension, a None stands for the input's size.
        seed: Integer, or None to draw one.
        **kwargs: `name`, `trainable`, `input_shape`.

    Call arguments:
        inputs: Array of any shape.
        training: Whether dropout is active.

    Returns of a call:
        An array of the same shape.

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
        if noise_shape is not None and not (
            isinstance(noise_shape, (tuple, list))
            and all(size is None or (isinstance(size, int) and size > 0) for size in noise_shape)
        ):
            raise ValueError(
                "`noise_shape` must be a tuple of positive integers and None. "
                f"Received: noise_shape={noise_shape!r}"
            )
        super().__init__(rate=rate, seed=seed, **kwargs)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, Any]:
        """Drop elements while training. The cache is the seed of the mask, or the mask."""
        if self.noise_shape is not None or not training or self.rate == 0.0:
            return super().forward(x, training)
        seed = int(self._generator.bit_generator.random_raw())  # `integers`, in a sixth of the time
        return kernels.dropout(x, seed, self.rate), seed

    def backward(
        self, cache: Any, d_y: np.ndarray, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, list[np.ndarray]]:
        """Drop the same elements of the gradient."""
        if not isinstance(cache, int):
            return super().backward(cache, d_y, input_gradient)
        return kernels.dropout(d_y, cache, self.rate), []

    def _noise(self, shape: tuple[int, ...]) -> np.ndarray:
        """Draw a mask of the input's shape, or of that which `noise_shape` makes of it."""
        if self.noise_shape is None:
            return draw_mask(self._generator, shape, self.rate)
        if len(self.noise_shape) != len(shape):
            raise ValueError(
                f"`noise_shape` must have as many dimensions as the input, {len(shape)}. "
                f"Received: noise_shape={self.noise_shape}"
            )
        sizes = zip(self.noise_shape, shape, strict=True)
        if any(own not in (None, 1, size) for own, size in sizes):
            raise ValueError(
                "Each size of `noise_shape` must be None, 1 or that of the input, whose shape is "
                f"{shape}. Received: noise_shape={self.noise_shape}"
            )
        sizes = zip(self.noise_shape, shape, strict=True)
        mask_shape = tuple(size if own is None else own for own, size in sizes)
        return draw_mask(self._generator, mask_shape, self.rate)


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
        ValueError: If it is not a number in [0, 1].
    """
    if not isinstance(value, (int, float, np.number)) or not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be a number between 0 and 1. Received: {name}={value!r}")
    return float(value)
