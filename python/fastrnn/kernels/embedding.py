"""Embedding: rows of a table."""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastrnn import _core
from fastrnn.kernels.arrays import Floats


def embedding_forward(tokens: ArrayLike, table: ArrayLike) -> Floats:
    """Looks up a row of the table for each token.

    Args:
        tokens: whole numbers in [0, len(table)), of any shape. Keras lets -1 wrap to the last row
            on some backends; here it is an error.
        table: [vocabulary, E].

    Returns:
        `[*tokens.shape, E]`.

    Example:
        >>> import numpy as np
        >>> from fastrnn import kernels
        >>> kernels.embedding_forward([2, 0], np.array([[0.0], [1.0], [2.0]]))
        array([[2.],
               [0.]], dtype=float32)
    """
    return _core.embedding_forward(tokens, table)


def embedding_backward(tokens: ArrayLike, d_outputs: ArrayLike, vocabulary: int) -> Floats:
    """Inverts `embedding_forward`: adds up the gradients of each token's rows, in their order.

    Args:
        tokens: as given to forward.
        d_outputs: `[*tokens.shape, E]`.
        vocabulary: rows of the table.

    Returns:
        The gradient of the table, [vocabulary, E].

    Example:
        >>> from fastrnn import kernels
        >>> kernels.embedding_backward([2, 0, 2], [[1.0], [2.0], [3.0]], vocabulary=3)
        array([[2.],
               [0.],
               [4.]], dtype=float32)
    """
    return _core.embedding_backward(tokens, d_outputs, vocabulary)
