"""The package's source of randomness.

One generator feeds everything that is not given a seed of its own: the seeds of initializers and
of dropout, and the order of the samples in `fit`. Seeding it makes a run repeatable.
"""

from __future__ import annotations

import random as _python_random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastrnn.arguments import is_integer

_generator = np.random.default_rng()
_of_thread = threading.local()  # `generator`, where a thread has its own


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


@contextmanager
def own_generator(seed: int) -> Iterator[None]:
    """Context in which the calling thread draws what it would after `set_random_seed(seed)`.

    Other threads are not disturbed. Python's `random` and NumPy's global generator are not seeded.

    Args:
        seed: Integer in [0, 2**32 - 1].
    """
    before = getattr(_of_thread, "generator", None)
    _of_thread.generator = np.random.default_rng(seed)
    try:
        yield
    finally:
        _of_thread.generator = before


def generator() -> np.random.Generator:
    """Return the thread's own generator, else the package's (new after `set_random_seed`)."""
    own: np.random.Generator | None = getattr(_of_thread, "generator", None)
    return _generator if own is None else own


def make_seed() -> int:
    """Draw a seed for an object that was not given one."""
    return int(generator().integers(2**31))


def get_state() -> dict[str, Any]:
    """Return the state of all that `set_random_seed` seeds, in plain values and arrays."""
    return {
        "fastrnn": generator().bit_generator.state,
        "python": _python_random.getstate(),
        "numpy": np.random.get_state(),
    }


def set_state(state: Mapping[str, Any]) -> None:
    """Bring back a state.

    Args:
        state: What `get_state` returned.
    """
    generator().bit_generator.state = state["fastrnn"]
    _python_random.setstate(state["python"])
    np.random.set_state(state["numpy"])
