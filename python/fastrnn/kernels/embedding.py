"""Embedding: rows of a table; and one-hot vectors as tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


def one_hot_tokens(x: ArrayLike) -> NDArray[np.int32] | None:
    """Returns the tokens that one-hot vectors stand for, if all of them are one-hot or zeros.

    Args:
        x: `[..., size]`, of at most 4,096 features.

    Returns:
        The place of each vector's one, `size` for zeros, `[...]`; None if a vector has another
        value or more than a single one.

    Example:
        >>> from fastrnn import kernels
        >>> kernels.one_hot_tokens([[0, 1, 0], [0, 0, 0]])
        array([1, 3], dtype=int32)
    """
    return _core.one_hot_tokens(x)
