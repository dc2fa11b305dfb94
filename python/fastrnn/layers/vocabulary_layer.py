"""A vocabulary, and how it is learned, set, and kept in files: the base of StringLookup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import Any

import numpy as np

from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.layer import Layer
from fastrnn.layers.text_layer import TextLayer
from fastrnn.layers.token_encoding import DROPPED
from fastrnn.layers.vocabulary_file import as_tokens, fits_lines, lines_of, tokens_of

_all_in_configs: ContextVar[bool] = ContextVar("vocabularies_in_configs", default=False)


@contextmanager
def vocabularies_in_configs() -> Iterator[None]:
    """Let configs hold all vocabularies within a `with` block, for files without another place."""
    before = _all_in_configs.set(True)
    try:
        yield
    finally:
        _all_in_configs.reset(before)


def copy_vocabularies(source: Layer, target: Layer) -> None:
    """Give the layers with vocabularies inside a copy of a layer those of the original.

    Args:
        source: The layer or model.
        target: One of the same config.
    """
    if isinstance(source, VocabularyLayer) and isinstance(target, VocabularyLayer):
        source.copy_vocabulary_to(target)
    for own, other in zip(source._sublayers(), target._sublayers(), strict=False):
        copy_vocabularies(own, other)


class VocabularyLayer(TextLayer):
    """Base of StringLookup: its vocabulary.

    Attributes:
        max_tokens: Largest size of the vocabulary, with the special tokens; None for any.
        num_oov_indices: How many numbers there are for other strings.
        mask_token: The string for padding, or None.
        oov_token: What stands in the vocabulary for other strings.
        invert: Whether strings are looked up by their numbers.
        pad_to_max_tokens: Whether vectors have `max_tokens` entries.
    """

    max_tokens: int | None
    num_oov_indices: int
    mask_token: str | None
    oov_token: str | None
    invert: bool
    pad_to_max_tokens: bool
    _size: int | None
    _adaptable: bool
    _tokens: list[str] | None = None  # without the special ones; None before `adapt`
    _idf: np.ndarray | None = None
    _given: tuple[list[Any], list[float] | None] | None = None  # for the config
    _numbers: dict[bytes, int]

    def _count_texts(self, texts: np.ndarray) -> None:
        """Count strings, of which each row is a document."""
        rows = texts.reshape(len(texts), -1) if texts.ndim > 1 else texts.reshape(1, -1)
        self.count(rows.tolist())

    def count(self, documents: Sequence[Sequence[bytes]]) -> None:
        """Count the tokens of documents.

        Args:
            documents: The tokens of each, as UTF-8 bytes.

        Raises:
            ValueError: If the layer was made with a vocabulary.
        """
        if not self._adaptable:
            raise ValueError(
                f"Layer '{self.name}' was made with a `vocabulary`, which `adapt` does not change: "
                "leave it out, or call `set_vocabulary`."
            )
        self._counts.update(chain.from_iterable(documents))
        if self.output_mode == "tf_idf":
            self._document_counts.update(chain.from_iterable(map(set, documents)))
            self._documents += len(documents)

    def finalize_state(self) -> None:
        """Make the vocabulary of the strings that were counted."""
        for special in (self.mask_token, self.oov_token):
            if special is not None:
                self._counts.pop(special.encode(), None)
        ranked = sorted(self._counts, key=lambda text: (self._counts[text], text), reverse=True)
        if self.max_tokens is not None:
            ranked = ranked[: max(self.max_tokens - len(self._specials), 0)]
        if not ranked:
            raise ValueError(
                f"`data` must hold at least one token for the vocabulary of layer '{self.name}', "
                "and `max_tokens` leave room for it. "
                f"Received: {len(self._counts)} different tokens, max_tokens={self.max_tokens}"
            )
        try:
            tokens = [text.decode() for text in ranked]
        except UnicodeDecodeError as error:
            raise ValueError(
                f"`data` must hold texts in the encoding of the layer, {self.encoding}. "
                f"Received: a token {error.object!r}"
            ) from error
        self._take(tokens)
        if self.output_mode == "tf_idf":
            documents = np.array([self._document_counts[text] for text in ranked])
            idf = np.log(1 + self._documents / (1 + documents)).astype(np.float32)
            self._idf = self._padded_idf(idf, len(self._specials), idf.mean())
        self._forget_counts()

    def reset_state(self) -> None:
        """Forget the strings that were counted."""
        self._forget_counts()

    def _forget_counts(self) -> None:
        self._counts: Counter[bytes] = Counter()
        self._document_counts: Counter[bytes] = Counter()
        self._documents = 0

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the vocabulary: the string of each number.

        Args:
            include_special_tokens: Whether to include those in front of it.
        """
        tokens = self._tokens or []
        return [*self._specials, *tokens] if include_special_tokens else list(tokens)

    def vocabulary_size(self) -> int:
        """Return the size of the vocabulary, with the special tokens."""
        return len(self._specials) + len(self._tokens or [])

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the vocabulary, in place of the one that is there.

        Args:
            vocabulary: List or array of different strings, with or without the special tokens in
                front; or name of a file with one in each line.
            idf_weights: For `output_mode="tf_idf"` the weight of each of them. Without those of
                special tokens these get the mean.

        Raises:
            TypeError, ValueError: If they do not fit; the layer then stays as it was.

        Example:
            >>> lookup = StringLookup()
            >>> lookup.set_vocabulary(["sun", "rain"])
            >>> lookup.vocabulary_size()
            3
        """
        self._check_takes_idf(idf_weights)
        given = as_tokens(vocabulary, self.encoding)
        specials = self._specials
        has_specials = len(given) > 0 and given[: len(specials)] == specials
        tokens = given[len(specials) :] if has_specials else given
        self._check_tokens(tokens)
        idf = None
        if self.output_mode == "tf_idf":
            weights = as_numbers(idf_weights, "idf_weights")
            if weights.shape != (len(given),):
                raise ValueError(
                    f"`idf_weights` must have a weight for each of the {len(given)} tokens of "
                    f"`vocabulary`. Received: shape={weights.shape}"
                )
            idf = self._padded_idf(
                weights, 0 if has_specials else len(specials), float(np.mean(weights))
            )
        self._take(tokens)
        self._idf = idf
        if self._given is not None:
            self._given = as_given(given, idf_weights, self.encoding)

    def _check_tokens(self, tokens: Sequence[Any]) -> None:
        """Refuse a vocabulary, without its special tokens, that is none."""
        if not tokens:
            raise ValueError("`vocabulary` must hold at least one token. Received: none")
        reserved = {self.mask_token, self.oov_token if self.invert else None, None}
        for position, token in enumerate(tokens):
            if token in reserved:
                raise ValueError(
                    "`vocabulary` must have special tokens in front, all of them in this order: "
                    f"{self._specials}, or none of them. Received: {token!r} at position {position}"
                    " behind them"
                )
        if len(set(tokens)) < len(tokens):
            repeated = [token for token, count in Counter(tokens).items() if count > 1]
            raise ValueError(
                f"The tokens of `vocabulary` must be different. Received: {repeated[:10]} more "
                "than once"
            )
        size = len(self._specials) + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"`vocabulary` must have at most `max_tokens` tokens, {self.max_tokens}, with the "
                f"{len(self._specials)} special ones. Received: {size}"
            )

    def _check_takes_idf(self, idf_weights: Any) -> None:
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            raise ValueError(
                "`idf_weights` must be given beside a vocabulary with `output_mode='tf_idf'`, and "
                f"with no other. Received: output_mode={self.output_mode!r}, "
                f"idf_weights={'None' if idf_weights is None else 'given'}"
            )

    def _take(self, tokens: list[str]) -> None:
        """Make a vocabulary, checked and without special tokens, that of the layer."""
        first = len(self._specials)
        self._numbers = {token.encode(): first + rank for rank, token in enumerate(tokens)}
        self._tokens = tokens
        self._size = self.vocabulary_size()
        if self.mask_token is not None:
            is_int = self.output_mode == "int"
            self._numbers[self.mask_token.encode()] = 0 if is_int else DROPPED

    def _padded_idf(self, idf: np.ndarray, special: int, value: float) -> np.ndarray:
        """Put the weights of special tokens in front, and zeros behind if vectors are longer."""
        full = np.concatenate([np.full(special, value), idf]).astype(np.float32)
        behind = self._depth - len(full) if self.pad_to_max_tokens else 0
        return np.pad(full, (0, behind))

    @property
    def _specials(self) -> list[Any]:
        """The tokens in front of the vocabulary."""
        return [self.mask_token] * self._first_unknown + [self.oov_token] * self.num_oov_indices

    @property
    def _first_unknown(self) -> int:
        """The first number for strings that are not in the vocabulary."""
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _depth(self) -> Any:
        """Length of the vectors; None if it is not known yet."""
        return self.max_tokens if self.pad_to_max_tokens else self._size

    # ----------------------------------------------------------------------------------- files

    def config_of_vocabulary(self) -> tuple[list[Any] | None, list[float] | None]:
        """Return the vocabulary and its weights where a config holds them, as in Keras.

        It does so if the constructor got them as lists, for what a file with a token per line
        cannot hold, and within `vocabularies_in_configs`.
        """
        if self._given is not None:
            return self._given
        whole = _all_in_configs.get() or self.vocabulary_file() is None
        if self._tokens is None or not whole:
            return None, None
        if self._idf is None:
            return list(self._tokens), None
        return self.get_vocabulary(), self._idf[: self.vocabulary_size()].tolist()

    def vocabulary_file(self) -> bytes | None:
        """Return the content of the vocabulary's file in an archive; None if the config has it."""
        tokens = self.get_vocabulary()
        if self._given is not None or self._tokens is None:
            return None
        if None in tokens or not fits_lines(tokens):
            return None
        if self._idf is not None and len(self._idf) > len(tokens):
            return None  # Keras cannot load its own file of a vocabulary with padded weights
        return lines_of(tokens)

    def copy_vocabulary_to(self, other: VocabularyLayer) -> None:
        """Give another layer of the same config the vocabulary.

        Args:
            other: The layer.
        """
        if self._tokens is not None:
            other._take(list(self._tokens))
            other._idf, other._adaptable, other._given = self._idf, self._adaptable, self._given

    @property
    def has_vocabulary(self) -> bool:
        """Whether there is a vocabulary by now."""
        return self._tokens is not None

    @property
    def misses_vocabulary(self) -> bool:
        """Whether the config says that there was a vocabulary, which is elsewhere."""
        return self._tokens is None and (self._size or 0) > len(self._specials)

    def load_vocabulary(self, content: bytes) -> None:
        """Take the vocabulary from its file in an archive.

        Args:
            content: What the file holds.

        Raises:
            ValueError: If it is not a vocabulary of the size that the config says.
        """
        tokens = tokens_of(content)
        first = len(self._specials)
        if tokens[:first] != self._specials or self._size not in (None, len(tokens)):
            raise ValueError(
                f"the vocabulary must have {self._size or 'some'} tokens in lines of their own, "
                f"the first ones {self._specials}. Received: {len(tokens)}, {tokens[:first]}"
            )
        self._check_tokens(tokens[first:])
        self._take(tokens[first:])

    @property
    def idf_weights(self) -> np.ndarray | None:
        """The weight of each token and special token, with `output_mode="tf_idf"`."""
        return self._idf

    @idf_weights.setter
    def idf_weights(self, value: np.ndarray) -> None:
        self._idf = value

    @property
    def shape_of_idf_weights(self) -> tuple[int, ...] | None:
        """Shape of `idf_weights`, None for a layer without."""
        return (self._depth,) if self.output_mode == "tf_idf" and self._depth else None


def as_given(
    vocabulary: Iterable[Any], idf_weights: Any, encoding: str
) -> tuple[list[Any], list[float] | None]:
    """Return vocabulary and weights as a config holds them."""
    weights = None if idf_weights is None else np.asarray(idf_weights, float).tolist()
    return as_tokens(vocabulary, encoding), weights
