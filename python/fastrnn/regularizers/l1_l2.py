"""Penalties on the size of each element."""

from __future__ import annotations

import numpy as np

from fastrnn.arguments import check_number
from fastrnn.regularizers.regularizer import Regularizer

_DEFAULT = 0.01


class L1L2(Regularizer):
    """Computes `l1 * sum(abs(x)) + l2 * sum(square(x))`.

    The first term is that of the lasso (Tibshirani, 1996), the second that of ridge regression
    (Hoerl and Kennard, 1970). At 0, where abs has no derivative, its gradient is 0.

    Args:
        l1: Factor of the first term; None for 0.
        l2: Factor of the second term; None for 0.

    Raises:
        ValueError: If a factor is not a finite number of at least 0.

    Example:
        >>> import numpy as np
        >>> L1L2(l1=0.5, l2=2.0)(np.array([1.0, -2.0]))
        11.5
    """

    config_arguments: tuple[str, ...] = ("l1", "l2")

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = 0.0 if l1 is None else check_number("l1", l1, 0.0)
        self.l2 = 0.0 if l2 is None else check_number("l2", l2, 0.0)

    def __call__(self, x: np.ndarray) -> float:
        """Return the penalty."""
        penalty = 0.0
        if self.l1:
            penalty += self.l1 * float(np.abs(x).sum())
        if self.l2:
            penalty += self.l2 * float(np.square(x).sum())
        return penalty

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the derivative of the penalty with respect to each element, float32."""
        values = np.asarray(x, dtype=np.float32)
        gradient: np.ndarray = values * np.float32(2.0 * self.l2)
        if self.l1:
            gradient += np.float32(self.l1) * np.sign(values)
        return gradient


class L1(L1L2):
    """Computes `l1 * sum(abs(x))`.

    Args:
        l1: Factor; None for the default.

    Raises:
        ValueError: If it is not a finite number of at least 0.

    Example:
        >>> import numpy as np
        >>> L1(0.5)(np.array([1.0, -2.0]))
        1.5
    """

    config_arguments: tuple[str, ...] = ("l1",)

    def __init__(self, l1: float | None = _DEFAULT) -> None:
        super().__init__(l1=_DEFAULT if l1 is None else l1)


class L2(L1L2):
    """Computes `l2 * sum(square(x))`.

    Args:
        l2: Factor; None for the default.

    Raises:
        ValueError: If it is not a finite number of at least 0.

    Example:
        >>> import numpy as np
        >>> L2(0.5)(np.array([1.0, -2.0]))
        2.5
    """

    config_arguments: tuple[str, ...] = ("l2",)

    def __init__(self, l2: float | None = _DEFAULT) -> None:
        super().__init__(l2=_DEFAULT if l2 is None else l2)


def l1_and_l2() -> L1L2:
    """Return what the name "l1_l2" stands for: both penalties, each with its usual factor."""
    return L1L2(_DEFAULT, _DEFAULT)
