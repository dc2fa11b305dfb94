"""Initializers that draw from plain distributions, and random orthogonal matrices."""

from __future__ import annotations

import math

import numpy as np

from fastrnn.initializers.base import RandomInitializer


def truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw from the standard normal distribution, truncated at two standard deviations."""
    values: np.ndarray = generator.standard_normal(shape)
    # One draw in 22 lies outside, so a few rounds suffice.
    while (outside := np.abs(values) > 2.0).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return values


class RandomUniform(RandomInitializer):
    """Uniform distribution on [minval, maxval).

    Args:
        minval: Lower bound.
        maxval: Upper bound.
        seed: Integer, or None to draw one.

    Example:
        >>> values = RandomUniform(0.0, 1.0, seed=1)((2, 3))
        >>> values.shape, bool(values.min() >= 0.0), bool(values.max() < 1.0)
        ((2, 3), True, True)
    """

    config_arguments: tuple[str, ...] = ("minval", "maxval")

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return self._generator().uniform(self.minval, self.maxval, shape)


class RandomNormal(RandomInitializer):
    """Normal distribution.

    Args:
        mean: Mean.
        stddev: Standard deviation.
        seed: Integer, or None to draw one.

    Example:
        >>> RandomNormal(stddev=0.1, seed=1)((2, 3)).shape
        (2, 3)
    """

    config_arguments: tuple[str, ...] = ("mean", "stddev")

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.mean + self.stddev * self._standard(shape)

    def _standard(self, shape: tuple[int, ...]) -> np.ndarray:
        return self._generator().standard_normal(shape)


class TruncatedNormal(RandomNormal):
    """Normal distribution whose values beyond two standard deviations are drawn again.

    Args:
        mean: Mean.
        stddev: Standard deviation before the truncation.
        seed: Integer, or None to draw one.

    Example:
        >>> values = TruncatedNormal(stddev=0.1, seed=1)((1000,))
        >>> bool(abs(values).max() <= 0.2)
        True
    """

    def _standard(self, shape: tuple[int, ...]) -> np.ndarray:
        return truncated_normal(self._generator(), shape)


class Orthogonal(RandomInitializer):
    """`gain` times a random matrix with orthonormal columns, or rows if it is wider than tall.

    The distribution is uniform over such matrices: the Q of a QR decomposition of normal draws,
    its signs fixed by R's diagonal (Mezzadri, 2007; Saxe et al., 2014). Weights of more than two
    dimensions are treated as matrices with `shape[-1]` columns.

    Args:
        gain: Factor on the matrix.
        seed: Integer, or None to draw one.

    Raises:
        ValueError: On a call, if the shape has fewer than two dimensions.

    Example:
        >>> import numpy as np
        >>> q = Orthogonal(seed=1)((4, 2))
        >>> np.allclose(q.T @ q, np.eye(2), atol=1e-6)
        True
    """

    config_arguments: tuple[str, ...] = ("gain",)

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal makes weights of at least two dimensions. Received: shape={shape}"
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(self._generator().standard_normal(tall))
        q = q * np.sign(np.diag(r))
        return self.gain * (q.T if rows < columns else q).reshape(shape)
