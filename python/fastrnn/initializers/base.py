"""The base of all initializers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.arguments import check_seed
from fastrnn.configurable import Configurable
from fastrnn.random import make_seed
from fastrnn.results import returns_numpy


class Initializer(Configurable):
    """Makes the first value of a weight.

    Call arguments:
        shape: Shape of the weight.
        dtype: Element type of the result; float32 by default.

    Returns of a call:
        Array of that shape.

    Example:
        >>> import numpy as np
        >>> class Halves(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.full(shape, 0.5, dtype or "float32")
        >>> Halves()((2,))
        array([0.5, 0.5], dtype=float32)
    """

    @returns_numpy
    def __call__(self, shape: Sequence[int], dtype: npt.DTypeLike | None = None) -> np.ndarray:
        """Return the initial value of a weight of the given shape."""
        return self._values(tuple(shape)).astype(dtype or np.float32, order="C")

    def _values(self, shape: tuple[int, ...]) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} must implement `_values`.")


class RandomInitializer(Initializer):
    """Base of the random initializers.

    As in Keras, one object returns the same values at each call. Without a seed, its constructor
    draws one from the generator that `utils.set_random_seed` seeds.

    Args:
        seed: Integer, or None to draw one.

    Raises:
        ValueError: If `seed` is neither.

    Example:
        >>> initializer = RandomNormal(seed=7)
        >>> bool((initializer((2, 3)) == initializer((2, 3))).all())
        True
    """

    def __init__(self, seed: int | None = None) -> None:
        given = check_seed(seed)
        self._given_seed = given
        self.seed = make_seed() if given is None else given

    def _generator(self) -> np.random.Generator:
        # A SeedSequence takes non-negative integers only; Keras accepts negative seeds.
        return np.random.default_rng(abs(self.seed) * 2 + (self.seed < 0))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "seed": self._given_seed}
