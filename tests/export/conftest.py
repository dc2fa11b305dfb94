"""Data for models that are exported."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def tokens(rng: np.random.Generator) -> np.ndarray:
    """Padding in front, behind, in the middle, everywhere, and none."""
    found = rng.integers(1, 9, (5, 6))
    found[0, :3] = found[1, 4:] = found[2, 2] = found[3] = 0
    return found
