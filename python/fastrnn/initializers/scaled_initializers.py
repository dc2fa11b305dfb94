"""Initializers whose spread follows from the number of inputs and outputs of the weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn.docstrings import complete_docstring
from fastrnn.initializers.base import RandomInitializer
from fastrnn.initializers.random_initializers import truncated_normal

# Standard deviation of a standard normal distribution truncated at two deviations.
_TRUNCATED_STDDEV = 0.87962566103423978

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


def fans(
    shape: tuple[int, ...],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> tuple[int, int]:
    """Return how many inputs and outputs a weight of this shape connects.

    Args:
        shape: Shape of the weight.
        input_axes: Dimensions that count inputs; by default the last but one.
        output_axes: Dimensions that count outputs; by default the last.

    Returns:
        `(fan_in, fan_out)`. Dimensions before the last two multiply both.
    """
    if input_axes is not None and output_axes is not None:
        return (
            math.prod(shape[axis] for axis in input_axes),
            math.prod(shape[axis] for axis in output_axes),
        )
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    receptive_field = math.prod(shape[:-2])
    return shape[-2] * receptive_field, shape[-1] * receptive_field


class VarianceScaling(RandomInitializer):
    """Variance `scale / n`, where n is fan_in, fan_out or their mean.

    The initializers of LeCun et al., 1998, Glorot and Bengio, 2010, and He et al., 2015, are cases
    of this.

    Args:
        scale: Positive number.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"truncated_normal"` (also `"normal"`), `"untruncated_normal"` or
            `"uniform"`, the last on [-limit, limit) with `limit = sqrt(3 * scale / n)`.
        seed: Integer, or None to draw one.
        input_axes: Dimensions that count inputs; None for Keras's convention.
        output_axes: Dimensions that count outputs; None for Keras's convention.

    Raises:
        ValueError: If an argument is not one of the above.

    Example:
        >>> import numpy as np
        >>> kernel = VarianceScaling(2.0, mode="fan_out", seed=1)((200, 100))
        >>> round(float(np.var(kernel)), 3)
        0.02
    """

    config_arguments: tuple[str, ...] = (
        "scale",
        "mode",
        "distribution",
        "input_axes",
        "output_axes",
    )

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        if not scale > 0.0:
            raise ValueError(f"`scale` must be positive. Received: scale={scale}")
        if mode not in _MODES:
            raise ValueError(f"`mode` must be one of {_MODES}. Received: mode={mode!r}")
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"`distribution` must be one of {_DISTRIBUTIONS}. "
                f"Received: distribution={distribution!r}"
            )
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        fan_in, fan_out = fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        generator = self._generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "truncated_normal":
            return math.sqrt(variance) / _TRUNCATED_STDDEV * truncated_normal(generator, shape)
        return math.sqrt(variance) * generator.standard_normal(shape)


class _Preset(VarianceScaling):
    """The base of variance scalings with a name: only the seed and the axes are arguments.

    Args:
        seed: Integer, or None to draw one.
        input_axes: Dimensions that count inputs; None for Keras's convention.
        output_axes: Dimensions that count outputs; None for Keras's convention.
    """

    config_arguments: tuple[str, ...] = ("input_axes", "output_axes")

    _scale: float
    _mode: str
    _distribution: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        complete_docstring(cls)

    def __init__(
        self,
        seed: int | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(self._scale, self._mode, self._distribution, seed, input_axes, output_axes)


class GlorotUniform(_Preset):
    """Uniform with limit `sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio, 2010).

    Example:
        >>> kernel = GlorotUniform(seed=1)((2, 4))
        >>> bool(abs(kernel).max() <= 1.0)
        True
    """

    _scale, _mode, _distribution = 1.0, "fan_avg", "uniform"


class GlorotNormal(_Preset):
    """Truncated normal with variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010).

    Example:
        >>> round(float(GlorotNormal(seed=1)((200, 200)).var()), 3)
        0.005
    """

    _scale, _mode, _distribution = 1.0, "fan_avg", "truncated_normal"


class HeUniform(_Preset):
    """Uniform with limit `sqrt(6 / fan_in)` (He et al., 2015).

    Example:
        >>> kernel = HeUniform(seed=1)((6, 4))
        >>> bool(abs(kernel).max() <= 1.0)
        True
    """

    _scale, _mode, _distribution = 2.0, "fan_in", "uniform"


class HeNormal(_Preset):
    """Truncated normal with variance `2 / fan_in` (He et al., 2015).

    Example:
        >>> round(float(HeNormal(seed=1)((200, 200)).var()), 3)
        0.01
    """

    _scale, _mode, _distribution = 2.0, "fan_in", "truncated_normal"


class LecunUniform(_Preset):
    """Uniform with limit `sqrt(3 / fan_in)` (LeCun et al., 1998).

    Example:
        >>> kernel = LecunUniform(seed=1)((3, 4))
        >>> bool(abs(kernel).max() <= 1.0)
        True
    """

    _scale, _mode, _distribution = 1.0, "fan_in", "uniform"


class LecunNormal(_Preset):
    """Truncated normal with variance `1 / fan_in` (LeCun et al., 1998).

    Example:
        >>> round(float(LecunNormal(seed=1)((200, 200)).var()), 3)
        0.005
    """

    _scale, _mode, _distribution = 1.0, "fan_in", "truncated_normal"
