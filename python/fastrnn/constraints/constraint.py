"""The base of all constraints."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.configurable import Configurable


class Constraint(Configurable):
    """A projection of a weight, which the optimizer applies after each update.

    Call arguments:
        w: The weight's value, any shape.

    Returns of a call:
        The new value.

    Example:
        >>> import numpy as np
        >>> class Clipped(Constraint):
        ...     def __call__(self, w):
        ...         return np.clip(w, -1.0, 1.0)
        >>> Clipped()(np.array([-3.0, 0.5], "float32"))
        array([-1. ,  0.5], dtype=float32)
    """

    def __call__(self, w: npt.ArrayLike) -> np.ndarray:
        """Return the new value of the weight, of the same shape, float32."""
        return np.asarray(w, dtype=np.float32)
