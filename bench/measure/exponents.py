"""How a cost grows with a size: cost = c * size ** exponent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The exponent that fits best: least squares on the logarithms.

    1 is linear growth. A fixed cost, which does not grow, makes it smaller.

    Args:
        sizes: At least two different positive numbers.
        costs: As many positive numbers.

    Raises:
        ValueError: If there are too few, or one of them has no logarithm.
    """
    if len(sizes) != len(costs) or len(set(sizes)) < 2:
        raise ValueError(
            "`sizes` must hold at least two different numbers, `costs` one for each. "
            f"Received: sizes={list(sizes)}, costs={list(costs)}"
        )
    if min(*sizes, *costs) <= 0:
        raise ValueError(
            f"`sizes` and `costs` must be positive. Received: sizes={list(sizes)}, "
            f"costs={list(costs)}"
        )
    x, y = np.log(np.asarray(sizes, float)), np.log(np.asarray(costs, float))
    x = x - x.mean()
    return float((x * y).sum() / (x * x).sum())


def last_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The exponent between the two largest sizes, where a fixed cost counts least."""
    order = np.argsort(sizes)[-2:]
    return exponent([sizes[index] for index in order], [costs[index] for index in order])
