"""Each limit on the size of gradients, on either side of it and right at it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import optimizers
from fastrnn.optimizers import clipping
from fastrnn.variable import Variable

LIMIT = 0.7
# Of the norm, or of the largest element, to the limit.
RATIOS = (0.5, 0.99, 1.0, 1.01, 1.5, 1.99, 2.01, 3.0, 100.0)


def gradients_of_norm(norm: float) -> list[np.ndarray]:
    """Three gradients of distinct random values whose joint norm is `norm`."""
    rng = np.random.default_rng(11)
    drawn = [rng.normal(size=shape) for shape in ((3, 2), (4,), (2, 2, 2))]
    joint = np.sqrt(sum(np.sum(each**2) for each in drawn))
    return [(each * (norm / joint)).astype(np.float32) for each in drawn]


def by_equation(limit: str, gradients: list[np.ndarray]) -> list[np.ndarray]:
    """The clipped gradients in float64."""
    exact = [each.astype(np.float64) for each in gradients]
    if limit == "clipvalue":
        return [np.clip(each, -LIMIT, LIMIT) for each in exact]
    norms = [np.sqrt(np.sum(each**2)) for each in exact]
    if limit == "global_clipnorm":
        norms = [np.sqrt(np.sum(np.square(norms)))] * len(exact)
    return [each * LIMIT / max(norm, LIMIT) for each, norm in zip(exact, norms, strict=True)]


def scaled_to(limit: str, ratio: float) -> list[np.ndarray]:
    """Gradients whose size, in the sense of the limit, is `ratio` times the limit."""
    gradients = gradients_of_norm(1.0)
    sizes = {
        "clipvalue": max(np.abs(each).max() for each in gradients),
        "clipnorm": np.linalg.norm(gradients[0]),
        "global_clipnorm": 1.0,
    }
    return [each * np.float32(ratio * LIMIT / sizes[limit]) for each in gradients]


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("limit", ["clipvalue", "clipnorm", "global_clipnorm"])
def test_limits_follow_their_equations(limit: str, ratio: float) -> None:
    gradients = scaled_to(limit, ratio)
    arguments: dict[str, Any] = {"clipnorm": None, "clipvalue": None, "global_clipnorm": None}
    clipped = clipping.clip(gradients, **{**arguments, limit: LIMIT})
    for ours, exact in zip(clipped, by_equation(limit, gradients), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-6)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("limit", ["clipvalue", "clipnorm", "global_clipnorm"])
def test_a_step_uses_the_clipped_gradients(limit: str, ratio: float) -> None:
    gradients = scaled_to(limit, ratio)
    variables = [
        Variable(np.full(each.shape, 0.25), name=f"w{i}") for i, each in enumerate(gradients)
    ]
    optimizers.SGD(0.5, **{limit: LIMIT}).apply(gradients, variables)
    for variable, exact in zip(variables, by_equation(limit, gradients), strict=True):
        np.testing.assert_allclose(variable.value, 0.25 - 0.5 * exact, rtol=1e-6, atol=1e-7)
