"""One-hot sequences as tokens, as an Embedding hands them to recurrent layers."""

from __future__ import annotations

import functools

import numpy as np

from fastrnn import kernels

# With fewer features there is nothing to gain; with more the table takes too much memory.
FEWEST, MOST = 8, 1024


def as_tokens_if_one_hot(x: np.ndarray) -> np.ndarray | kernels.Embedded:
    """Return one-hot sequences as tokens and the table of all one-hot vectors.

    A recurrent layer then multiplies each distinct vector by its kernel once, and its outputs stay
    the same bits. Steps of zeros, which people pad with, are one more token.

    Args:
        x: `[batch, steps, features]` of float32.

    Returns:
        The tokens; x itself if any step has another value than zeros and at most a single one.
    """
    features = x.shape[-1]
    if x.ndim != 3 or not x.size or not FEWEST <= features <= MOST:
        return x
    tokens = kernels.one_hot_tokens(x)
    return x if tokens is None else kernels.Embedded(tokens, _table(features))


@functools.lru_cache(maxsize=8)
def _table(features: int) -> np.ndarray:
    """Return the one-hot vectors, and zeros: `[features + 1, features]`."""
    table = np.eye(features + 1, features, dtype=np.float32)
    table.flags.writeable = False
    return table
