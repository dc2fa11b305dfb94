"""From texts to rows of tokens: the steps of TextVectorization in front of the vocabulary.

Texts and tokens are UTF-8 bytes. Case, punctuation and white space are those of ASCII, as in
TensorFlow: "É" and a no-break space stay as they are.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastrnn.layers.string_arrays import as_strings

STANDARDIZATIONS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
SPLITS = ("whitespace", "character")

Rows = list[list[bytes]]
"""The tokens of each text."""

_PUNCTUATION = string.punctuation.encode()

# A function of the user gets arrays of strings, whose elements all take the room of the longest.
_CHARACTERS_AT_ONCE = 1 << 24


def standardized(texts: np.ndarray, how: str | Callable[[np.ndarray], Any] | None) -> np.ndarray:
    """Return texts with less that tells them apart.

    Args:
        texts: Array of bytes, of any shape.
        how: One of `STANDARDIZATIONS`, None for nothing, or a function of arrays of strings.

    Raises:
        TypeError, ValueError: If the function returns something else than as many strings.
    """
    if how is None:
        return texts
    if callable(how):
        parts = [how(part) for part in _parts(texts)]
        made = [as_strings(part, "The result of `standardize`") for part in parts]
        result = np.concatenate(made) if texts.ndim else made[0]
        if result.shape != texts.shape:
            raise ValueError(
                "`standardize` must return as many strings as it gets. "
                f"Received: shape={result.shape} for texts of shape {texts.shape}"
            )
        return result
    changed: Sequence[bytes] = texts.ravel().tolist()
    if how.startswith("lower"):
        changed = [text.lower() for text in changed]
    if how.endswith("strip_punctuation"):
        changed = [text.translate(None, _PUNCTUATION) for text in changed]
    result = np.empty(len(changed), dtype=object)
    result[:] = changed
    return result.reshape(texts.shape)


def split_texts(texts: np.ndarray, how: str | Callable[[np.ndarray], Any]) -> Rows:
    """Return the tokens of each text.

    Args:
        texts: Array of bytes, of one dimension.
        how: One of `SPLITS`, or a function of an array of strings that returns a list or array of
            tokens for each.

    Raises:
        TypeError, ValueError: If the function returns something else.
    """
    if how == "whitespace":
        return [text.split() for text in texts]
    if how == "character":
        return [[character.encode() for character in _decoded(text)] for text in texts]
    assert callable(how)
    rows = []
    for part in _parts(texts):
        made = how(part)
        made = made.to_list() if hasattr(made, "to_list") else made  # ragged tensors
        if len(made) != len(part):
            raise ValueError(
                "`split` must return a list of tokens for each text. "
                f"Received: {len(made)} of them for {len(part)} texts"
            )
        rows += [_flat(as_strings(row, "The result of `split`")) for row in made]
    return rows


def with_ngrams(rows: Rows, widths: Sequence[int]) -> Rows:
    """Return for each row its tokens in groups of neighbours, joined by blanks.

    Args:
        rows: The tokens of each text.
        widths: How many tokens a group has: first all groups of the first width, and so on.

    Example:
        >>> with_ngrams([[b"a", b"good", b"film"]], (1, 2))
        [[b'a', b'good', b'film', b'a good', b'good film']]
    """
    return [
        [
            b" ".join(row[start : start + width])
            for width in widths
            for start in range(len(row) - width + 1)
        ]
        for row in rows
    ]


def _parts(texts: np.ndarray) -> Iterator[np.ndarray]:
    """Yield some texts after another as arrays of strings, for a function of the user's."""
    if not texts.ndim:
        yield np.array(_decoded(texts.item()))
        return
    longest = max((len(text) for text in texts.ravel().tolist()), default=0)
    per_row = max(longest * (texts.size // max(len(texts), 1)), 1)
    rows = max(_CHARACTERS_AT_ONCE // per_row, 1)
    for start in range(0, max(len(texts), 1), rows):
        part = texts[start : start + rows]
        decoded = [_decoded(text) for text in part.ravel().tolist()]
        yield np.array(decoded, dtype=str).reshape(part.shape)


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _flat(tokens: np.ndarray) -> list[bytes]:
    flat: list[bytes] = tokens.ravel().tolist()
    return flat
