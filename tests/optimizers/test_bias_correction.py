"""The correction of running means that start at zero, against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from fastrnn.optimizers.bias_correction import bias_correction


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99, 0.999])
def test_the_power_is_rounded_once(beta: float) -> None:
    exact = Fraction(1)
    for t in range(1, 200):
        exact *= Fraction(float(np.float32(beta)))
        got = bias_correction(beta, t)
        assert got.dtype == np.float32
        assert got == np.float32(1.0) - np.float32(float(exact)), t
