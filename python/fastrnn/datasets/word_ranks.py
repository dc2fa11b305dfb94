"""What the data sets of word ranks share: reading, shuffling, and ranks to tokens."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fastrnn.datasets.splitting import Split

# There is a table with a place for each rank: a damaged one must not fill the memory.
_HIGHEST_RANK = 2**24


def read_word_index(file: Path) -> dict[str, int]:
    """Read the rank of each word.

    Raises:
        ValueError: If the file is damaged.
    """
    try:
        index: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"`{file}` is damaged: {error}") from error
    if not isinstance(index, dict) or not all(type(rank) is int for rank in index.values()):
        raise ValueError(f"`{file}` is damaged: it must hold the rank of each word")
    return index


def check_labels(file: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Check that each text has a label.

    Raises:
        ValueError: If not.
    """
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"`{file}` must have a label for each text. Received: shapes {x.shape}, {y.shape}"
        )


def drop_long(x: np.ndarray, y: np.ndarray, maxlen: int, start_char: int | None) -> Split:
    """Leave out the texts that would have `maxlen` tokens or more, with the start token."""
    longest = maxlen - 1 - (start_char is not None)
    kept = np.fromiter((len(text) <= longest for text in x), dtype=bool, count=len(x))
    return x[kept], y[kept]


def tokenize(
    file: Path,
    texts: list[list[int]],
    num_words: int | None,
    skip_top: int,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> list[list[int]]:
    """Turn ranks into tokens.

    Raises:
        ValueError: If the texts of the file are not lists of ranks.
    """
    try:
        return _tokenize(texts, num_words, skip_top, start_char, oov_char, index_from)
    except (TypeError, IndexError) as error:
        raise ValueError(f"The texts of `{file}` must be lists of ranks: {error}") from error


def _tokenize(
    texts: list[list[int]],
    num_words: int | None,
    skip_top: int,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> list[list[int]]:
    """Do it by one table of tokens by rank.

    The table takes the place of a test per word, and lets equal tokens share one Python int.
    """
    highest = max(map(max, filter(len, texts)), default=0)
    if highest > _HIGHEST_RANK:
        raise IndexError(f"{highest} is more than {_HIGHEST_RANK}")
    if not num_words:
        num_words = highest + index_from
        if start_char is not None:
            num_words = max(num_words, start_char)

    def known(token: int) -> bool:
        return skip_top <= token < num_words

    tokens = [rank + index_from for rank in range(highest + 1)]
    start = [] if start_char is None else [start_char]
    if oov_char is None:
        start = list(filter(known, start))
        kept = list(map(known, tokens))
        return [[*start, *(tokens[rank] for rank in x if kept[rank])] for x in texts]
    start = [token if known(token) else oov_char for token in start]
    table = [token if known(token) else oov_char for token in tokens]
    return [[*start, *map(table.__getitem__, x)] for x in texts]


@contextmanager
def paused_collector() -> Iterator[None]:
    """Keep the garbage collector from walking all texts again and again while they are made."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
