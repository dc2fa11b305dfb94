"""Tokens for texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from fastrnn.arguments import check_integer, is_integer, refuse_unsupported
from fastrnn.layers.attributes import layers_of
from fastrnn.layers.layer import Layer, Shape
from fastrnn.layers.serialization import serializable
from fastrnn.layers.string_lookup import StringLookup, refuse_file_name
from fastrnn.layers.text_layer import TextLayer
from fastrnn.layers.text_splitting import (
    SPLITS,
    STANDARDIZATIONS,
    Rows,
    split_texts,
    standardized,
    with_ngrams,
)
from fastrnn.utils.custom_objects import find_custom_object
from fastrnn.utils.named_function import function_config, function_from

if TYPE_CHECKING:
    from typing_extensions import Self


@serializable("keras.layers")
class TextVectorization(TextLayer):
    """Turns texts into the numbers of their words, or into a vector for each text.

    A text is standardized, split into tokens, these are joined to n-grams if wanted, and looked up
    in a vocabulary, which is given or made by `adapt` of the texts to train on. Number 0 is
    padding, 1 stands for all tokens that are not in the vocabulary. As in Keras, upper case,
    punctuation and white space are those of ASCII alone.

    Args:
        max_tokens: Largest size of the vocabulary, with the special tokens; None for any.
        standardize: `"lower_and_strip_punctuation"`, `"lower"`, `"strip_punctuation"`; None for
            nothing; or a function that takes an array of strings and returns one of that shape
            (functions of `tf.strings` do, where TensorFlow is imported).
        split: `"whitespace"`, `"character"`; None where each string is a token; or a function that
            takes an array of strings, `[texts]`, and returns a list of tokens for each.
        ngrams: Joins neighbouring tokens: an integer for groups of up to so many, or a tuple of
            the sizes of the groups; None for single tokens.
        output_mode: `"int"` for the numbers of the tokens; `"multi_hot"`, `"count"` or `"tf_idf"`
            for a vector for each text, which says whether each token of the vocabulary is in it,
            how often, or how often times its weight. Only `"int"` has a number for padding.
        output_sequence_length: With `"int"`, to how many numbers each text is cut or padded. None
            for as many as the longest text of a call, or of a batch, has.
        pad_to_max_tokens: Whether vectors have `max_tokens` entries, also where the vocabulary
            is smaller.
        vocabulary: List or array of different tokens, with or without the special ones in front;
            or name of a file with one in each line. None if `adapt` will be called.
        idf_weights: For `"tf_idf"` the weight of each token of `vocabulary`.
        sparse: Not supported: outputs are dense arrays.
        ragged: Not supported: numbers of shorter texts are padded with 0, which
            `Embedding(mask_zero=True)` skips.
        encoding: Encoding of texts that are given as bytes, and of a file.
        name: Unique name in its model.
        **kwargs: `trainable` and `dtype`, without effect; `vocabulary_size` and
            `has_input_vocabulary`, which configs have.

    Call arguments:
        inputs: Texts (`str` or `bytes`) in an array or list `[batch]` or `[batch, 1]`, of more
            dimensions, or a single one. With `split=None` tokens, `[batch, tokens]`.

    Returns of a call:
        Int64 numbers `[batch, output_sequence_length]`; or vectors `[batch, vocabulary]`, int64
        (`"tf_idf"`: float32).

    Raises:
        ValueError: If an argument is not valid or not supported.

    Example:
        >>> vectorize = TextVectorization(output_sequence_length=4)
        >>> vectorize.adapt(["A good film.", "A bad film, a film!"])
        >>> vectorize.get_vocabulary()
        ['', '[UNK]', 'film', 'a', 'good', 'bad']
        >>> vectorize(["a very good film"])
        array([[3, 1, 4, 2]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unsupported("TextVectorization", {"sparse": sparse}, {"sparse": False})
        if ragged:
            raise ValueError(
                "`ragged` of TextVectorization is not supported: numbers of shorter texts are "
                "padded with 0, which `Embedding(mask_zero=True)` skips. Received: ragged=True"
            )
        hidden = ("vocabulary_size", "has_input_vocabulary")
        of_lookup = {key: kwargs.pop(key) for key in hidden if key in kwargs}
        super().__init__(output_mode, encoding, name=name, **kwargs)
        if self.output_mode == "one_hot":
            raise ValueError(
                "`output_mode` of TextVectorization must be 'int', 'multi_hot', 'count' or "
                "'tf_idf'. Received: output_mode='one_hot'"
            )
        if output_sequence_length is not None:
            if self.output_mode != "int":
                raise ValueError(
                    "`output_sequence_length` must be left out where `output_mode` is not 'int'. "
                    f"Received: output_mode={output_mode!r}, "
                    f"output_sequence_length={output_sequence_length!r}"
                )
            check_integer("output_sequence_length", output_sequence_length, 1)
        self.standardize = self._choice("standardize", standardize, STANDARDIZATIONS)
        self.split = self._choice("split", split, SPLITS)
        self.ngrams = ngrams
        self._widths = _widths_of(ngrams)
        self.output_sequence_length = output_sequence_length
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            mask_token="",
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            output_mode=self.output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            encoding=encoding,
            name=self.name,  # that messages have
            **of_lookup,
        )

    def _choice(self, argument: str, value: Any, names: Sequence[str]) -> Any:
        """Return one of some names, a function, or None."""
        if value is None or (isinstance(value, str) and value in names):
            return value
        if isinstance(value, str) and not find_custom_object(value):
            raise ValueError(
                f"`{argument}` must be one of {tuple(names)}, a function, or None. A function that "
                f"a file names must be handed over: `load_model(..., custom_objects={{'{value}': "
                f"function}})`. Received: {argument}={value!r}"
            )
        if callable(value) or isinstance(value, (dict, str)):
            return function_from(value, f"`{argument}` of layer '{self.name}'", [argument])
        raise ValueError(
            f"`{argument}` must be one of {tuple(names)}, a function, or None. "
            f"Received: {argument}={value!r}"
        )

    # ------------------------------------------------------------------------------ vocabulary

    @property
    def lookup(self) -> StringLookup:
        """The layer inside that has the vocabulary."""
        return self._lookup_layer

    def _sublayers(self) -> Sequence[Layer]:
        return layers_of(self)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Make the vocabulary of the tokens of some texts, in place of the one that is there.

        The most frequent tokens come first, those of equal frequency in the opposite of the order
        of their UTF-8 bytes, as in Keras.

        Args:
            data: Array or list of texts; or what yields batches of them, as a generator does or a
                `tf.data.Dataset` of texts alone.
            batch_size: Without effect: it changes nothing in the vocabulary.
            steps: How many batches to take; None for all.

        Raises:
            TypeError: If they are not texts.
            ValueError: If the layer was made with a `vocabulary`, or there is no token to learn.

        Example:
            >>> vectorize = TextVectorization(max_tokens=4, split="character")
            >>> vectorize.adapt(["abba", "bab"])
            >>> vectorize.get_vocabulary()
            ['', '[UNK]', 'b', 'a']
        """
        self._adapt(data, steps, batch_size)

    def _count_texts(self, texts: np.ndarray) -> None:
        self._lookup_layer.count(self._rows_of(texts))

    def finalize_state(self) -> None:
        """Make the vocabulary of the tokens that were counted."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget the tokens that were counted."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the vocabulary: the token of each number.

        Args:
            include_special_tokens: Whether to include padding (with `output_mode="int"`) and the
                token for all others in front of it.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return the size of the vocabulary, with the special tokens."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the vocabulary, in place of the one that is there.

        Args:
            vocabulary: List or array of different tokens, with or without the special ones in
                front; or name of a file with one in each line.
            idf_weights: For `output_mode="tf_idf"` the weight of each of them.

        Raises:
            TypeError, ValueError: If they do not fit; the layer then stays as it was.
        """
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    # ----------------------------------------------------------------------------- computation

    @property
    def takes_texts(self) -> bool:
        """Whether the input are strings: yes."""
        return True

    @property
    def _joins_rows(self) -> bool:
        """Whether texts, or rows of tokens, become something of another length."""
        return bool(self.split or self._widths or self.output_sequence_length)

    @property
    def pads_to_longest(self) -> bool:
        """Whether the length of the rows is that of the longest text of a batch."""
        joins = self.split is not None or bool(self._widths)
        return self.output_mode == "int" and joins and self.output_sequence_length is None

    def check_input_shape(self, shape: Any) -> None:
        """Refuse texts in several columns."""
        if self.split is not None and len(shape) > 1 and shape[-1] not in (None, 1):
            raise ValueError(
                f"Layer '{self.name}' splits texts, which must have the shape [batch] or [batch, "
                f"1]; with `split=None` they may be tokens. Received: shape={tuple(shape)}"
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the shape of the output for that of the texts."""
        shape = tuple(input_shape)
        rows = shape[:-1] if len(shape) > 1 else shape
        if self.output_mode != "int":
            return (*rows, *self._lookup_layer.compute_output_shape((None,)))
        if not self._joins_rows:
            return shape
        return (*rows, self.output_sequence_length)

    def call(self, x: np.ndarray, *args: Any, **options: Any) -> np.ndarray:
        """Return the output for checked texts."""
        rows = self._rows_of(x)
        if (length := self.output_sequence_length) is not None:
            rows = [row[:length] for row in rows]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        ids = self._lookup_layer.numbers_of(list(chain.from_iterable(rows)))
        shape = x.shape[:-1] if x.ndim > 1 else x.shape
        if self.output_mode != "int":
            vectors = self._lookup_layer.vectors_of(ids, lengths)
            return vectors.reshape(*shape, vectors.shape[-1])
        if not self._joins_rows:
            return ids.reshape(x.shape)
        width = lengths.max(initial=0) if length is None else length
        padded = np.zeros((len(rows), width), np.int64)
        padded[np.arange(width) < lengths[:, np.newaxis]] = ids
        return padded.reshape(*shape, width)

    def _rows_of(self, texts: np.ndarray) -> Rows:
        """Return the tokens of each text."""
        self.check_input_shape(texts.shape)
        texts = standardized(texts, self.standardize)
        if self.split is not None:
            rows = split_texts(texts.ravel(), self.split)
        else:
            rows = texts.reshape(-1, texts.shape[-1] if texts.ndim > 1 else 1).tolist()
        return with_ngrams(rows, self._widths) if self._widths else rows

    # ---------------------------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        lookup = self._lookup_layer
        vocabulary, idf_weights = lookup.config_of_vocabulary()
        return self._shared_config() | {
            "max_tokens": lookup.max_tokens,
            "standardize": _named(self.standardize, "standardize"),
            "split": _named(self.split, "split"),
            "ngrams": self.ngrams,
            "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": lookup.pad_to_max_tokens,
            "sparse": False,
            "ragged": False,
            "vocabulary": vocabulary,
            "idf_weights": idf_weights,
            "encoding": self.encoding,
            "vocabulary_size": lookup.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make a layer from the result of `get_config` (Keras's works too).

        Args:
            config: Dict of the constructor's arguments.

        Raises:
            ValueError: If it names a file, which a config from elsewhere must not have read, or a
                function that is not handed over.
        """
        refuse_file_name(config.get("vocabulary"))
        return super().from_config(config)


def _widths_of(ngrams: Any) -> tuple[int, ...]:
    """Return how many tokens the n-grams have; nothing for single tokens."""
    if ngrams is None:
        return ()
    widths = range(1, ngrams + 1) if is_integer(ngrams) else ngrams
    is_collection = isinstance(widths, (tuple, list, range)) and len(widths) > 0
    if is_collection and all(is_integer(each) and each > 0 for each in widths):
        return tuple(widths)
    raise ValueError(
        "`ngrams` must be a positive integer, a tuple of them, or None. "
        f"Received: ngrams={ngrams!r}"
    )


def _named(value: str | Callable[..., Any] | None, argument: str) -> Any:
    """Return a name, or the config of a function."""
    if value is None or isinstance(value, str):
        return value
    name = getattr(value, "__name__", "<lambda>")
    return function_config(value, argument if name == "<lambda>" else name)
