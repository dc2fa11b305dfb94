"""Numbers of tokens as vectors with an entry for each token of the vocabulary."""

from __future__ import annotations

import numpy as np

DROPPED = -1
"""Stands for a token that is left out of counts."""


def one_hot(ids: np.ndarray, depth: int) -> np.ndarray:
    """Return a vector for each number, with a 1 at its place.

    Args:
        ids: Numbers of tokens; a last dimension of size 1 goes away.
        depth: Length of each vector.

    Returns:
        Int64 array `[*ids.shape, depth]`.

    Example:
        >>> import numpy as np
        >>> one_hot(np.array([1, 0]), 3)
        array([[0, 1, 0],
               [1, 0, 0]])
    """
    if ids.ndim > 1 and ids.shape[-1] == 1:
        ids = ids[..., 0]
    made: np.ndarray = np.atleast_1d(ids)[..., np.newaxis] == np.arange(depth)
    return made.astype(np.int64)


def counts(ids: np.ndarray, lengths: np.ndarray, depth: int) -> np.ndarray:
    """Return how often each number occurs in each row.

    Args:
        ids: The numbers of all rows, one after another.
        lengths: How many of them each row has.
        depth: Size of the vocabulary.

    Returns:
        Int64 array `[rows, depth]`.

    Example:
        >>> import numpy as np
        >>> counts(np.array([1, 1, 0]), np.array([2, 1]), 2)
        array([[0, 2],
               [1, 0]])
    """
    rows = np.repeat(np.arange(len(lengths)), lengths)
    kept = ids != DROPPED
    places = rows[kept] * depth + ids[kept]
    return np.bincount(places, minlength=len(lengths) * depth).reshape(len(lengths), depth)
