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
from fastrnn.results import with_numpy

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
        **get_own_state(),
        "python": _python_random.getstate(),
        "numpy": np.random.get_state(),
    }


def get_own_state() -> dict[str, Any]:
    """Return the state of `generator` alone, which takes much less time."""
    return {"fastrnn": generator().bit_generator.state}


def set_state(state: Mapping[str, Any]) -> None:
    """Bring back a state.

    Args:
        state: What `get_state` or `get_own_state` returned.
    """
    generator().bit_generator.state = state["fastrnn"]
    if "python" in state:
        _python_random.setstate(state["python"])
        np.random.set_state(state["numpy"])


class SeedGenerator:
    """A source of random numbers that goes on from call to call, for the functions below.

    Args:
        seed: Integer; None to draw one.
        name: Accepted for Keras's sake; without effect.
        **kwargs: Likewise.

    Example:
        >>> seeds = SeedGenerator(3)
        >>> bool((normal((2,), seed=seeds) == normal((2,), seed=seeds)).any())
        False
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        self.seed = make_seed() if seed is None else int(seed)
        self.generator = np.random.default_rng(self.seed)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"seed": self.seed}


def _generator_for(seed: Any) -> np.random.Generator:
    """Return where numbers come from: for an integer the same ones in each call, as in Keras."""
    if seed is None:
        return generator()
    return seed.generator if isinstance(seed, SeedGenerator) else np.random.default_rng(int(seed))


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draw normal numbers, as `keras.random.normal`; they are not Keras's.

    Args:
        shape: Shape of the array.
        mean: Their mean.
        stddev: Their standard deviation.
        dtype: Float32, whatever is given.
        seed: Integer for the same numbers in each call, a `SeedGenerator`, or None for the source
            that `set_random_seed` seeds.

    Returns:
        Float32 array.

    Example:
        >>> normal((2, 3), seed=1).shape
        (2, 3)
    """
    drawn = _generator_for(seed).standard_normal(tuple(shape), dtype=np.float32)
    return with_numpy(np.asarray(drawn * np.float32(stddev) + np.float32(mean)))


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draw uniform numbers, as `keras.random.uniform`; they are not Keras's.

    Args:
        shape: Shape of the array.
        minval: The least number.
        maxval: What they stay below.
        dtype: Float32, whatever is given.
        seed: As of `normal`.

    Returns:
        Float32 array.

    Example:
        >>> bool((uniform((4,), 2.0, 3.0, seed=1) >= 2).all())
        True
    """
    drawn = _generator_for(seed).random(tuple(shape), dtype=np.float32)
    return with_numpy(np.asarray(drawn * np.float32(maxval - minval) + np.float32(minval)))


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draw normal numbers within two standard deviations; others are drawn again.

    Args:
        shape: Shape of the array.
        mean: Mean of the normal numbers.
        stddev: Their standard deviation.
        dtype: Float32, whatever is given.
        seed: As of `normal`.

    Returns:
        Float32 array.

    Example:
        >>> bool((abs(truncated_normal((50,), seed=1)) <= 2).all())
        True
    """
    source = _generator_for(seed)
    drawn = np.asarray(source.standard_normal(tuple(shape), dtype=np.float32))
    while (far := np.abs(drawn) > 2).any():
        drawn = np.where(far, source.standard_normal(drawn.shape, dtype=np.float32), drawn)
    return with_numpy(np.asarray(drawn * np.float32(stddev) + np.float32(mean)))


def randint(shape: Any, minval: int, maxval: int, dtype: str = "int32", seed: Any = None) -> Any:
    """Draw integers, each as likely.

    Args:
        shape: Shape of the array.
        minval: The least one.
        maxval: What they stay below.
        dtype: Type of the array.
        seed: As of `normal`.

    Returns:
        Array of integers.

    Example:
        >>> bool((randint((9,), 0, 3, seed=1) < 3).all())
        True
    """
    drawn = _generator_for(seed).integers(minval, maxval, tuple(shape))
    return with_numpy(np.asarray(drawn).astype(dtype))


def categorical(logits: Any, num_samples: int, dtype: str = "int32", seed: Any = None) -> Any:
    """Draw numbers of classes, of each row so many.

    Args:
        logits: Logarithms of what the probabilities are proportional to, `[rows, classes]`.
        num_samples: How many to draw for each row.
        dtype: Type of the array.
        seed: As of `normal`.

    Returns:
        Array of integers, `[rows, num_samples]`.

    Example:
        >>> categorical([[0.0, -100.0]], 3, seed=1)
        array([[0, 0, 0]], dtype=int32)
    """
    scores = np.asarray(logits, np.float64)
    noise = _generator_for(seed).gumbel(size=(len(scores), num_samples, scores.shape[-1]))
    drawn = np.argmax(scores[:, np.newaxis] + noise, axis=-1)
    return with_numpy(drawn.astype(dtype))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """Return an array with its entries along an axis in an order that is drawn.

    Args:
        x: The array.
        axis: The axis.
        seed: As of `normal`.

    Example:
        >>> sorted(shuffle([3, 1, 2], seed=1).tolist())
        [1, 2, 3]
    """
    return with_numpy(_generator_for(seed).permutation(np.asarray(x), axis=axis))
