"""Words from texts, and numbers from words: the module of tf.keras that Keras 3 has removed."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from fastrnn.arguments import check_integer, positive_integer, refuse_unknown

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""Punctuation, tabs and line breaks, but not the apostrophe."""

_MODES = ("binary", "count", "tfidf", "freq")


def text_to_word_sequence(
    input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Split a text into words.

    Args:
        input_text: The text.
        filters: Characters that separate words, as `split` does.
        lower: Whether to turn the text into lower case.
        split: The separator of words.

    Returns:
        The words in their order.

    Raises:
        TypeError: If `input_text` is not a string.

    Example:
        >>> text_to_word_sequence("It's a good film, isn't it?")
        ["it's", 'a', 'good', 'film', "isn't", 'it']
    """
    if not isinstance(input_text, str):
        raise TypeError(f"`input_text` must be a string. Received: input_text={input_text!r}")
    text = input_text.lower() if lower else input_text
    text = text.translate({ord(character): split for character in filters})
    return [word for word in text.split(split) if word]


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """Turn a text into hashes of its words, by Python's `hash`.

    Args:
        input_text: The text.
        n: One more than the highest hash.
        filters: See `text_to_word_sequence`.
        lower: See `text_to_word_sequence`.
        split: See `text_to_word_sequence`.
        analyzer: Function that splits the text, instead of `text_to_word_sequence`.

    Returns:
        Integers in [1, n), one per word. They differ between runs of Python, unless
        `PYTHONHASHSEED` is set; see `hashing_trick` for others.

    Example:
        >>> numbers = one_hot("a good film", 100)
        >>> len(numbers), min(numbers) >= 1, max(numbers) < 100
        (3, True, True)
    """
    return hashing_trick(
        input_text, n, hash, filters=filters, lower=lower, split=split, analyzer=analyzer
    )


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], Iterable[str]] | None = None,
) -> list[int]:
    """Turn a text into hashes of its words.

    Args:
        text: The text.
        n: One more than the highest hash.
        hash_function: Function from words to integers, `"md5"`, or None for Python's `hash`, which
            differs from run to run.
        filters: See `text_to_word_sequence`.
        lower: See `text_to_word_sequence`.
        split: See `text_to_word_sequence`.
        analyzer: Function that splits the text, instead of `text_to_word_sequence`.

    Returns:
        Integers in [1, n), one per word; different words may share one.

    Raises:
        ValueError: If `n` is not an integer of at least 2, or `hash_function` is not known.

    Example:
        >>> hashing_trick("a good film", 100, "md5")
        [92, 3, 59]
    """
    check_integer("n", n, 2)
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":
        hash_function = _md5
    elif not callable(hash_function):
        raise ValueError(
            "`hash_function` must be a function, 'md5' or None. "
            f"Received: hash_function={hash_function!r}"
        )
    words = analyzer(text) if analyzer else text_to_word_sequence(text, filters, lower, split)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers words by their frequency and turns texts into lists of these numbers.

    The most frequent word gets the lowest number, which is 1, or 2 below an `oov_token`; words of
    equal frequency keep the order of their first occurrence. 0 is left for padding.

    New scripts better take `fastrnn.layers.TextVectorization`, which can be a part of the model.

    Args:
        num_words: Only words with numbers below this one are used; None for all words.
        filters: Characters that separate words, as `split` does.
        lower: Whether to turn texts into lower case.
        split: The separator of words.
        char_level: Whether each character is a word.
        oov_token: Replaces words that are not used; it has the number 1. None to drop them.
        analyzer: Function that splits a text into words, instead of `text_to_word_sequence`.
        **kwargs: `nb_words`, the old name of `num_words`, and `document_count`.

    Attributes:
        word_index: The number of each word.
        index_word: The word of each number.
        word_counts: How often each word occurred, in the order of their first occurrence.
        word_docs: In how many texts each word occurred.
        index_docs: The same by the words' numbers.
        document_count: How many texts were counted.

    Raises:
        ValueError: If an argument does not fit or is not known.

    Source: the interface of `tf.keras.preprocessing.text.Tokenizer` of TensorFlow 2.

    Example:
        >>> tokenizer = Tokenizer(oov_token="<unk>")
        >>> tokenizer.fit_on_texts(["a good film", "a bad one"])
        >>> tokenizer.texts_to_sequences(["a very good film"])
        [[2, 1, 3, 4]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], Iterable[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        if "nb_words" in kwargs:
            warnings.warn("`nb_words` of Tokenizer is now `num_words`.", stacklevel=2)
            num_words = kwargs.pop("nb_words")
        document_count = kwargs.pop("document_count", 0)
        refuse_unknown("Tokenizer", kwargs, _ARGUMENTS)
        if not isinstance(split, str) or not split:
            raise ValueError(f"`split` must be a string, not an empty one. Received: {split!r}")
        self.num_words = positive_integer("num_words", num_words) if num_words else None
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.document_count: int = document_count
        self.word_counts: dict[str, int] = OrderedDict()
        self.word_docs: dict[str, int] = {}
        self.index_docs: dict[int, int] = {}
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Add the words of texts to the counts, and number all words again.

        Args:
            texts: Strings, or lists of words.

        Raises:
            TypeError: If a text is neither; nothing has changed then.
        """
        counts, documents = OrderedDict(self.word_counts), dict(self.word_docs)
        met = 0
        for words in self._all_words(texts):
            met += 1
            for word, count in Counter(words).items():
                counts[word] = counts.get(word, 0) + count
                documents[word] = documents.get(word, 0) + 1
        self.word_counts, self.word_docs = counts, documents
        self.document_count += met

        # Sorting is stable, so that words of equal frequency keep their order.
        ranked = sorted(counts, key=counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            ranked.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(ranked, start=1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        self.index_docs |= {self.word_index[word]: n for word, n in documents.items()}

    def fit_on_sequences(self, sequences: Sequence[Iterable[int]]) -> None:
        """Count in how many sequences each number occurs, for `"tfidf"` without texts.

        Args:
            sequences: Lists of numbers.
        """
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] = self.index_docs.get(number, 0) + 1
        self.document_count += len(sequences)

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Turn texts into lists of the numbers of their words.

        Args:
            texts: Strings, or lists of words.

        Returns:
            A list for each text; words that are not used are left out, or `oov_token`'s number.

        Raises:
            TypeError: If a text is neither a string nor a list.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Yield what `texts_to_sequences` returns.

        Args:
            texts: Strings, or lists of words.

        Yields:
            The numbers of the words of a text.
        """
        other = self._number_of_others()
        used = {word: number for word, number in self.word_index.items() if self._uses(number)}
        for words in self._all_words(texts):
            numbers = (used.get(word, other) for word in words)
            yield [number for number in numbers if number is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Turn lists of numbers back into words with spaces between them.

        Args:
            sequences: Lists of numbers.

        Returns:
            A text for each list; numbers that are not used are left out, or `oov_token`.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Yield what `sequences_to_texts` returns.

        Args:
            sequences: Lists of numbers.

        Yields:
            The words of a list, with spaces between them.
        """
        other = None if self._number_of_others() is None else self.oov_token
        used = {number: word for number, word in self.index_word.items() if self._uses(number)}
        for sequence in sequences:
            found = (used.get(number, other) for number in sequence)
            yield " ".join(word for word in found if word is not None)

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> np.ndarray:
        """Turn texts into rows with an entry for each word.

        Args:
            texts: Strings, or lists of words.
            mode: See `sequences_to_matrix`.

        Returns:
            Float64 array of shape [texts, num_words], as `sequences_to_matrix` returns it.

        Raises:
            TypeError: If a text is neither a string nor a list.
            ValueError: If `mode` is not known, or nothing was fitted that it needs.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(
        self, sequences: Sequence[Sequence[int]], mode: str = "binary"
    ) -> np.ndarray:
        """Turn lists of numbers into rows with an entry for each number.

        Args:
            sequences: Lists of numbers.
            mode: `"binary"` (1 if the number occurs), `"count"` (how often it does), `"freq"`
                (the count divided by the list's length), or `"tfidf"`:
                `(1 + log(count)) log(1 + document_count / (1 + documents with the number))`.

        Returns:
            Float64 array of shape [sequences, num_words]; without `num_words` it is as wide as the
            highest number of a word plus 1.

        Raises:
            ValueError: If `mode` is not known, or nothing was fitted that it needs.
        """
        if mode not in _MODES:
            raise ValueError(f"`mode` must be one of {_MODES}. Received: mode={mode!r}")
        if not self.num_words and not self.word_index:
            raise ValueError("Give `num_words`, or call `fit_on_texts` first.")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Call `fit_on_texts` or `fit_on_sequences` before `mode='tfidf'`.")
        width = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), width))
        for row, sequence in zip(matrix, sequences, strict=True):
            if not len(sequence):
                continue
            numbers, counts = np.unique(np.asarray(sequence), return_counts=True)
            kept = numbers < width
            row[numbers[kept]] = self._entries(numbers[kept], counts[kept], len(sequence), mode)
        return matrix

    def _entries(self, numbers: np.ndarray, counts: np.ndarray, length: int, mode: str) -> Any:
        if mode == "binary":
            return 1.0
        if mode == "count":
            return counts
        if mode == "freq":
            return counts / length
        documents = np.array([self.index_docs.get(number, 0) for number in numbers.tolist()])
        return (1.0 + np.log(counts)) * np.log1p(self.document_count / (1.0 + documents))

    def _all_words(self, texts: Iterable[Any]) -> Iterator[Iterable[Any]]:
        """Yield the words of each text, numbered or not."""
        for position, text in enumerate(texts):
            if not isinstance(text, (str, list, tuple)):
                raise TypeError(
                    "`texts` must hold strings or lists of words. "
                    f"Received: {text!r} at position {position}"
                )
            if not isinstance(text, str):
                yield [word.lower() for word in text] if self.lower else text
            elif self.char_level:
                yield text.lower() if self.lower else text
            elif self.analyzer:
                yield self.analyzer(text)
            else:
                yield text_to_word_sequence(text, self.filters, self.lower, self.split)

    def _uses(self, number: int) -> bool:
        return self.num_words is None or number < self.num_words

    def _number_of_others(self) -> int | None:
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, and all counts and numbers as JSON; without the `analyzer`."""
        config = {name: getattr(self, name) for name in _ARGUMENTS}
        return config | {name: json.dumps(getattr(self, name)) for name in _TABLES}

    def to_json(self, **kwargs: Any) -> str:
        """Return the config as JSON, for `tokenizer_from_json`.

        Args:
            **kwargs: Arguments of `json.dumps`.

        Returns:
            The JSON text.
        """
        config = {"class_name": type(self).__name__, "config": self.get_config()}
        return json.dumps(config, **kwargs)


_ARGUMENTS = (
    "num_words",
    "filters",
    "lower",
    "split",
    "char_level",
    "oov_token",
    "document_count",
)
_TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Make a tokenizer from the result of `Tokenizer.to_json`, Keras's or fastrnn's.

    Args:
        json_string: The JSON.

    Returns:
        The tokenizer; its `analyzer` is lost.

    Raises:
        ValueError: If `json_string` is not such JSON.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["a good film"])
        >>> tokenizer_from_json(tokenizer.to_json()).word_index
        {'a': 1, 'good': 2, 'film': 3}
    """
    try:
        config = json.loads(json_string)["config"]
        tables = {name: json.loads(config.pop(name)) for name in _TABLES}
        tokenizer = Tokenizer(**config)
        for name, table in tables.items():
            # JSON has no integers as keys.
            number = int if name.startswith("index_") else str
            setattr(tokenizer, name, {number(k): v for k, v in table.items()})
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"`json_string` must come from `Tokenizer.to_json`: {error!r}") from error
    return tokenizer
