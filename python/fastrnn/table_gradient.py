"""The gradient of a table of vectors, which is zero in all rows but those of a batch's tokens."""

from __future__ import annotations

import numpy as np

# How many times as much it costs to read a row somewhere as to read it in order, at most.
_SCATTER = 16


class TableGradient(np.ndarray):
    """A whole gradient, `[vocabulary, features]`, that knows where it is not zero.

    What is computed from it does not know them: its `tokens` are None.

    Attributes:
        tokens: The tokens, of any shape; each row that is not zero is that of one of them.

    Example:
        >>> import numpy as np
        >>> gradient = np.zeros((100, 2), "float32")
        >>> table_gradient(gradient, np.array([7, 3, 7])).rows()
        array([3, 7])
    """

    tokens: np.ndarray | None = None

    def rows(self) -> np.ndarray | None:
        """Return the rows that may differ from zero, each once; None if that is not worth it.

        It is not with many tokens for the size of the table.
        """
        if self.tokens is None or self.tokens.size * _SCATTER > len(self):
            return None
        return np.unique(self.tokens)


def table_gradient(gradient: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """Return a gradient that knows its tokens; it shares the memory of what was given.

    Args:
        gradient: `[vocabulary, features]`.
        tokens: The tokens of the batch.
    """
    made = gradient.view(TableGradient)
    made.tokens = tokens
    return made
