"""A constraint to values of at least 0."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.constraints.constraint import Constraint


class NonNeg(Constraint):
    """Sets negative elements to 0.

    Example:
        >>> NonNeg()([-1.0, 2.0])
        array([0., 2.], dtype=float32)
    """

    def __call__(self, w: npt.ArrayLike) -> np.ndarray:
        """Return the new value of the weight, of the same shape, float32."""
        return np.maximum(np.asarray(w, dtype=np.float32), np.float32(0.0))
