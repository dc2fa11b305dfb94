"""The IMDB movie reviews as word ranks, with labels 0 (negative) and 1 (positive).

The public data set of Keras: 25,000 reviews to train with and 25,000 to test with (Maas et al.,
2011). Word 1 is the most frequent one.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from fastrnn.datasets.cache import locate
from fastrnn.datasets.npz import read_npz
from fastrnn.files.download import PublicFile

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
REVIEWS = PublicFile(
    _ORIGIN + "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
)
WORD_INDEX = PublicFile(_ORIGIN + "imdb_word_index.json", "bfafd718b763782e994055a2d397834f")

# There is a table with a place for each rank: a damaged one must not fill the memory.
_HIGHEST_RANK = 2**24

Split = tuple[np.ndarray, np.ndarray]


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
    with _paused_collector():
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
    file = locate(path, WORD_INDEX)
    try:
        index: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"`{file}` is damaged: {error}") from error
    if not isinstance(index, dict) or not all(type(rank) is int for rank in index.values()):
        raise ValueError(f"`{file}` is damaged: it must hold the rank of each word")
    return index


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
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(
                f"`{file}` must have a label for each review. Received: shapes {x.shape}, {y.shape}"
            )
    generator = np.random.RandomState(seed)
    shuffled = [_shuffle(x, y, generator) for x, y in splits]
    if maxlen:
        longest = maxlen - 1 - (start_char is not None)
        shuffled = [_drop_long(x, y, longest) for x, y in shuffled]
        if not all(len(y) for _, y in shuffled):
            raise ValueError(
                f"`maxlen` must leave reviews in both splits. Received: maxlen={maxlen}"
            )
    train = len(shuffled[0][0])
    reviews = [review for x, _ in shuffled for review in x]
    try:
        tokens = _tokenize(reviews, num_words, skip_top, start_char, oov_char, index_from)
    except (TypeError, IndexError) as error:
        raise ValueError(f"The reviews of `{file}` must be lists of ranks: {error}") from error
    labels = np.concatenate([y for _, y in shuffled])
    return (
        (np.array(tokens[:train], dtype=object), labels[:train]),
        (np.array(tokens[train:], dtype=object), labels[train:]),
    )


def _shuffle(x: np.ndarray, y: np.ndarray, generator: np.random.RandomState) -> Split:
    indices = np.arange(len(x))
    generator.shuffle(indices)
    return x[indices], y[indices]


def _drop_long(x: np.ndarray, y: np.ndarray, longest: int) -> Split:
    kept = np.fromiter((len(review) <= longest for review in x), dtype=bool, count=len(x))
    return x[kept], y[kept]


def _tokenize(
    reviews: list[list[int]],
    num_words: int | None,
    skip_top: int,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> list[list[int]]:
    """Turn ranks into tokens.

    One table of tokens by rank takes the place of a test per word, and lets equal tokens share one
    Python int.
    """
    highest = max(map(max, filter(len, reviews)), default=0)
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
        return [[*start, *(tokens[rank] for rank in x if kept[rank])] for x in reviews]
    start = [token if known(token) else oov_char for token in start]
    table = [token if known(token) else oov_char for token in tokens]
    return [[*start, *map(table.__getitem__, x)] for x in reviews]


@contextmanager
def _paused_collector() -> Iterator[None]:
    """Keep the garbage collector from walking all reviews again and again while they are made."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
