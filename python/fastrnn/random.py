"""The package's source of randomness.

One generator feeds everything that is not given a seed of its own: the seeds of initializers and
of dropout, and the order of the samples in `fit`. Seeding it makes a run repeatable.
"""

from __future__ import annotations

import random as _python_random
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastrnn.arguments import is_integer

_generator = np.random.default_rng()


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, NumPy's global generator and fastrnn.

    Call it before layers are made: they draw their seeds when they are constructed.

    Args:
        seed: Integer in [0, 2**32 - 1], the range that NumPy accepts.

    Raises:
        ValueError: If `seed` is not such an integer.

    Example:
        >>> set_random_seed(7)
    """
    if not is_integer(seed):
        raise ValueError(
            f"`seed` must be an integer. Received: seed={seed!r} (of type {type(seed).__name__})"
        )
    if not 0 <= seed < 2**32:
        raise ValueError(f"`seed` must be in [0, 2**32 - 1]. Received: seed={seed}")
    global _generator
    _python_random.seed(int(seed))
    np.random.seed(int(seed))
    _generator = np.random.default_rng(int(seed))


def generator() -> np.random.Generator:
    """Return the package's generator (a new one after each `set_random_seed`)."""
    return _generator


def make_seed() -> int:
    """Draw a seed for an object that was not given one."""
    return int(_generator.integers(2**31))


def get_state() -> dict[str, Any]:
    """Return the state of all that `set_random_seed` seeds, in plain values and arrays."""
    return {
        "fastrnn": _generator.bit_generator.state,
        "python": _python_random.getstate(),
        "numpy": np.random.get_state(),
    }


def set_state(state: Mapping[str, Any]) -> None:
    """Bring back a state.

    Args:
        state: What `get_state` returned.
    """
    _generator.bit_generator.state = state["fastrnn"]
    _python_random.setstate(state["python"])
    np.random.set_state(state["numpy"])
