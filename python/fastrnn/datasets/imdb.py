"""The IMDB movie reviews as word ranks, with labels 0 (negative) and 1 (positive).

The public data set of Keras: 25,000 reviews to train with and 25,000 to test with (Maas et al.,
2011). Word 1 is the most frequent one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from fastrnn.datasets.cache import ORIGIN, locate
from fastrnn.datasets.npz import read_npz
from fastrnn.datasets.splitting import Split, shuffle
from fastrnn.datasets.word_ranks import (
    check_labels,
    drop_long,
    paused_collector,
    read_word_index,
    tokenize,
)
from fastrnn.files.download import PublicFile

REVIEWS = PublicFile(
    ORIGIN + "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
)
WORD_INDEX = PublicFile(ORIGIN + "imdb_word_index.json", "bfafd718b763782e994055a2d397834f")


def load_data(
    path: str | os.PathLike[str] = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[Split, Split]:
    """Load the reviews as lists of tokens; equal to Keras's, element by element.

    A word of rank r becomes the token `r + index_from`.

    Args:
        path: Path of the file, or its name: `fastrnn.datasets.cache.locate` says where it is
            searched.
        num_words: Tokens from this number on become `oov_char`. None or 0 stands for the largest
            token (so that, as in Keras, the rarest word is lost).
        skip_top: Tokens below this number become `oov_char`, the start token too.
        maxlen: Reviews of this many tokens or more are left out; None or 0 to keep all.
        seed: Seed of the order of the reviews.
        start_char: Token at the start of each review; None for no token.
        oov_char: Token for words that are left out; None to drop them.
        index_from: Added to the ranks; None for 0.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `x` is an object array of lists of ints, `y` an
        int64 array.

    Raises:
        ValueError: If `maxlen` leaves no review, or the file is damaged or not safe.
        FileNotFoundError: If `path` has a folder and does not exist.
        OSError: If the file has to be downloaded and that fails.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data(num_words=10000)  # doctest: +SKIP
    """
    file = locate(path, REVIEWS)
    with paused_collector():
        return _load(file, num_words, skip_top, maxlen, seed, start_char, oov_char, index_from or 0)


def get_word_index(path: str | os.PathLike[str] = "imdb_word_index.json") -> dict[str, int]:
    """Load the rank of each word; a review's tokens are `index_from` (3) higher.

    Args:
        path: Path of the file, or its name: see `load_data`.

    Returns:
        Ranks by word.

    Raises:
        ValueError: If the file is damaged.
        FileNotFoundError: If `path` has a folder and does not exist.
        OSError: If the file has to be downloaded and that fails.

    Example:
        >>> get_word_index()["the"]  # doctest: +SKIP
        1
    """
    return read_word_index(locate(path, WORD_INDEX))


def decode_review(
    sequence: Iterable[int],
    index_from: int = 3,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    word_index: Mapping[str, int] | None = None,
) -> str:
    """Turn the tokens of a review back into words.

    Args:
        sequence: Tokens, as `load_data` or `pad_sequences` returned them for one review.
        index_from: As given to `load_data`, like the next two.
        start_char: Token shown as `<START>`.
        oov_char: Token shown as `<UNK>`, as are tokens that no word has.
        word_index: Ranks by word; None for those of `get_word_index`.

    Returns:
        The words with spaces between them; padding (0) is shown as `<PAD>`.

    Raises:
        ValueError: If `sequence` is not a list of integers from 0.
        OSError: If the ranks have to be downloaded and that fails.

    Example:
        >>> decode_review([0, 1, 5, 2, 4], word_index={"good": 1, "film": 2})
        '<PAD> <START> film <UNK> good'
    """
    tokens = np.asarray(sequence)
    if tokens.ndim != 1 or (tokens.size and (tokens.dtype.kind not in "iu" or tokens.min() < 0)):
        raise ValueError(
            f"`sequence` must be a list of integers >= 0, one review. Received: {sequence!r}"
        )
    if word_index is None:
        words = _words_by_rank(locate("imdb_word_index.json", WORD_INDEX))
    else:
        words = {rank: word for word, rank in word_index.items()}
    special = {oov_char: "<UNK>", start_char: "<START>", 0: "<PAD>"}
    shown = (
        special.get(token) or words.get(token - (index_from or 0), "<UNK>")
        for token in tokens.tolist()
    )
    return " ".join(shown)


@lru_cache(maxsize=1)
def _words_by_rank(file: Path) -> dict[int, str]:
    return {rank: word for word, rank in get_word_index(file).items()}


def _load(
    file: Path,
    num_words: int | None,
    skip_top: int,
    maxlen: int | None,
    seed: int,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> tuple[Split, Split]:
    arrays = read_npz(file)
    try:
        splits = [(arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")]
    except KeyError as error:
        raise ValueError(f"`{file}` holds no reviews: it has no array {error}.") from None
    for x, y in splits:
        check_labels(file, x, y)
    generator = np.random.RandomState(seed)
    shuffled = [shuffle(x, y, generator) for x, y in splits]
    if maxlen:
        shuffled = [drop_long(x, y, maxlen, start_char) for x, y in shuffled]
        if not all(len(y) for _, y in shuffled):
            raise ValueError(
                f"`maxlen` must leave reviews in both splits. Received: maxlen={maxlen}"
            )
    train = len(shuffled[0][0])
    reviews = [review for x, _ in shuffled for review in x]
    tokens = tokenize(file, reviews, num_words, skip_top, start_char, oov_char, index_from)
    labels = np.concatenate([y for _, y in shuffled])
    return (
        (np.array(tokens[:train], dtype=object), labels[:train]),
        (np.array(tokens[train:], dtype=object), labels[train:]),
    )
