"""News of Reuters from 1987 as word ranks, with one of 46 topics each.

The public data set of Keras: 11,228 texts made from Reuters-21578 (Lewis, 1997). Word 1 is the most
frequent one.
"""

from __future__ import annotations

import os

import numpy as np

from fastrnn.datasets.cache import ORIGIN, locate
from fastrnn.datasets.splitting import Split, check_test_split, load_pair, shuffle, split
from fastrnn.datasets.word_ranks import (
    check_labels,
    drop_long,
    paused_collector,
    read_word_index,
    tokenize,
)
from fastrnn.files.download import PublicFile

NEWS = PublicFile(
    ORIGIN + "reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
)
WORD_INDEX = PublicFile(ORIGIN + "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921")

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves "
    "ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin "
    "strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem "
    "dlr gas silver wpi hog lead"
)


def load_data(
    path: str | os.PathLike[str] = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[Split, Split]:
    """Load the texts as lists of tokens; equal to Keras's, element by element.

    A word of rank r becomes the token `r + index_from`.

    Args:
        path: Path of the file, or its name: `fastrnn.datasets.cache.locate` says where it is
            searched.
        num_words: Tokens from this number on become `oov_char`. None or 0 stands for the largest
            token (so that, as in Keras, the rarest word is lost).
        skip_top: Tokens below this number become `oov_char`, the start token too.
        maxlen: Texts of this many tokens or more are left out; None or 0 to keep all.
        test_split: Fraction of the texts to test with.
        seed: Seed of the order of the texts.
        start_char: Token at the start of each text; None for no token.
        oov_char: Token for words that are left out; None to drop them.
        index_from: Added to the ranks; None for 0.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `x` is an object array of lists of ints, `y` an
        int64 array of topics, whose names `get_label_names` returns.

    Raises:
        ValueError: If `maxlen` leaves no text, `test_split` is not in [0, 1), or the file is
            damaged or not safe.
        FileNotFoundError: If `path` has a folder and does not exist.
        OSError: If the file has to be downloaded and that fails.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data(num_words=10000)  # doctest: +SKIP
    """
    check_test_split(test_split)
    file = locate(path, NEWS)
    with paused_collector():
        x, y = load_pair(file)
        check_labels(file, x, y)
        x, y = shuffle(x, y, np.random.RandomState(seed))
        if maxlen:
            x, y = drop_long(x, y, maxlen, start_char)
            if not len(y):
                raise ValueError(f"`maxlen` must leave texts. Received: maxlen={maxlen}")
        tokens = tokenize(file, list(x), num_words, skip_top, start_char, oov_char, index_from or 0)
        (_, y_train), (_, y_test) = split(x, y, test_split)
        train = len(y_train)
        return (
            (np.array(tokens[:train], dtype=object), y_train),
            (np.array(tokens[train:], dtype=object), y_test),
        )


def get_word_index(path: str | os.PathLike[str] = "reuters_word_index.json") -> dict[str, int]:
    """Load the rank of each word; a text's tokens are `index_from` (3) higher.

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


def get_label_names() -> tuple[str, ...]:
    """Return the names of the topics, by their numbers.

    Returns:
        46 names.

    Example:
        >>> get_label_names()[3:5]
        ('earn', 'acq')
    """
    return tuple(_TOPICS.split())
