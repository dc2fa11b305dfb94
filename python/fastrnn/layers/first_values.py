"""What new weights hold: what their initializer makes, or zeros where a file will fill them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

_bytes_left: ContextVar[list[int] | None] = ContextVar("bytes_left", default=None)


@contextmanager
def zeros_within(limit: int) -> Iterator[None]:
    """Make weights of zeros within a `with` block, and refuse more than a number of bytes.

    A config from a file may ask for any size. Drawing values that the file's replace would also
    cost time (the QR decomposition of an orthogonal matrix) and numbers of the global seed.

    Args:
        limit: Number of bytes that all weights together may take.
    """
    before = _bytes_left.set([limit])
    try:
        yield
    finally:
        _bytes_left.reset(before)


def first_value(initializer: Callable[..., np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Return the first value of a weight.

    Raises:
        ValueError: If it is larger than a `zeros_within` around the call allows.
    """
    left = _bytes_left.get()
    if left is None:
        return np.asarray(initializer(shape))
    left[0] -= math.prod(shape) * np.dtype(np.float32).itemsize
    if left[0] < 0:
        raise ValueError(
            f"The weights must fit into the file that they come from. Received: shape={shape}"
        )
    return np.zeros(shape, np.float32)
