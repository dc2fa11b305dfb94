"""Numbers for strings, and strings for numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from fastrnn.arguments import check_integer, is_integer, refuse_unsupported
from fastrnn.layers.inputs import as_numbers
from fastrnn.layers.layer import Shape
from fastrnn.layers.serialization import serializable
from fastrnn.layers.string_hash import farm_hash, sip_hash
from fastrnn.layers.token_encoding import counts, one_hot
from fastrnn.layers.vocabulary_layer import VocabularyLayer, as_given

if TYPE_CHECKING:
    from typing_extensions import Self

_UNKNOWN = -2


@serializable("keras.layers")
class StringLookup(VocabularyLayer):
    """Replaces each string by its number in a vocabulary, or the other way round.

    The vocabulary is given, or made by `adapt` of the strings of some data: the most frequent
    first, those of equal frequency in the opposite of the order of their UTF-8 bytes, as in Keras.
    In front of it are, with `output_mode="int"`, the `mask_token` if there is one, and then the
    numbers for strings that are not in it.

    Args:
        max_tokens: Largest size of the vocabulary, with the special tokens; None for any.
        num_oov_indices: How many numbers there are for strings that are not in the vocabulary. Of
            several one is chosen by a hash. 0 to refuse such strings.
        mask_token: A string for padding: number 0 with `output_mode="int"`, left out otherwise.
            None for none.
        oov_token: What `invert` returns for a number that has no string.
        vocabulary: List or array of different strings, with or without the special tokens; or name
            of a file with one in each line. None if `adapt` or `set_vocabulary` will be called.
        idf_weights: For `output_mode="tf_idf"` the weight of each string of `vocabulary`.
        invert: Whether to replace numbers by strings.
        output_mode: `"int"` for numbers; `"one_hot"` for a vector for each string; `"multi_hot"`,
            `"count"` or `"tf_idf"` for one vector for the strings along the last dimension, which
            says whether each string of the vocabulary is there, how often, or how often times
            its weight.
        pad_to_max_tokens: Whether vectors have `max_tokens` entries, also where the vocabulary
            is smaller.
        sparse: Not supported.
        encoding: Encoding of strings that are given as bytes, and of a file.
        name: Unique name in its model.
        salt: Key of the hash, an integer or two of them; None for the hash without a key.
        **kwargs: `trainable` and `dtype`, without effect; `oov_method`, which says something about
            integers only; `vocabulary_size` and `has_input_vocabulary`, which configs have.

    Call arguments:
        inputs: Strings (`str` or `bytes`) in an array or list of any shape. With `invert` integers.

    Returns of a call:
        With `output_mode="int"` int64 numbers, of the same shape. With the others int64 (`"tf_idf"`
        float32) vectors as long as the vocabulary. With `invert` an array of bytes, as in Keras.

    Raises:
        ValueError: If an argument is not valid or not supported.

    Example:
        >>> lookup = StringLookup(vocabulary=["sun", "rain"])
        >>> lookup([["rain", "snow"]])
        array([[2, 0]])
        >>> StringLookup(vocabulary=lookup.get_vocabulary(), invert=True)([2, 0])
        array([b'rain', b'[UNK]'], dtype=object)
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_unsupported("StringLookup", {"sparse": sparse}, {"sparse": False})
        self._size: int | None = kwargs.pop("vocabulary_size", None)
        self._adaptable = not kwargs.pop("has_input_vocabulary", vocabulary is not None)
        self.oov_method = kwargs.pop("oov_method", "floormod")
        super().__init__(output_mode, encoding, name=name, **kwargs)
        if max_tokens is not None:
            check_integer("max_tokens", max_tokens, 2)
        elif pad_to_max_tokens:
            raise ValueError(
                "`max_tokens` must be given with `pad_to_max_tokens`. Received: max_tokens=None"
            )
        if self.oov_method not in ("floormod", "farmhash"):
            raise ValueError(
                "`oov_method` must be 'floormod' or 'farmhash'. "
                f"Received: oov_method={self.oov_method!r}"
            )
        if invert and self.output_mode != "int":
            raise ValueError(
                "`output_mode` must be 'int' with `invert`. "
                f"Received: output_mode={self.output_mode!r}"
            )
        self.max_tokens = max_tokens
        self.num_oov_indices = check_integer("num_oov_indices", num_oov_indices, 0)
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = bool(invert)
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        self.sparse = False
        self.salt = _key_of(salt)
        self._numbers: dict[bytes, int] = {}
        self._forget_counts()
        if idf_weights is not None:
            self._check_takes_idf(idf_weights)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
            if not isinstance(vocabulary, (str, os.PathLike)):
                self._given = as_given(vocabulary, idf_weights, self.encoding)

    # ------------------------------------------------------------------------------ vocabulary

    @property
    def lookup(self) -> StringLookup:
        """The layer itself."""
        return self

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make the vocabulary of the strings of some data, in place of the one that is there.

        Args:
            data: Array or list of strings; or what yields such batches, of which one without a
                second dimension is a single document for `"tf_idf"`.
            steps: How many batches to take; None for all.

        Raises:
            TypeError: If they are not strings.
            ValueError: If the layer was made with a `vocabulary`, or there is no string to learn.

        Example:
            >>> lookup = StringLookup()
            >>> lookup.adapt(["b", "a", "c", "c"])
            >>> lookup.get_vocabulary()
            ['[UNK]', 'c', 'b', 'a']
        """
        self._adapt(data, steps)

    # ----------------------------------------------------------------------------- computation

    @property
    def takes_texts(self) -> bool:
        """Whether the input are strings."""
        return not self.invert

    @property
    def output_dtype(self) -> str:
        """Type of the output's elements."""
        return "string" if self.invert else super().output_dtype

    def as_input(self, inputs: Any, name: str = "inputs") -> np.ndarray:
        """Convert strings to objects, or numbers to int64 with `invert`."""
        if not self.invert:
            return super().as_input(inputs, name)
        numbers = as_numbers(inputs, name)
        if numbers.dtype.kind == "f" and (numbers != np.floor(numbers)).any():
            raise ValueError(
                f"`{name}` must hold integers, the numbers of tokens. "
                f"Received: dtype={numbers.dtype}"
            )
        return numbers.astype(np.int64)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Return the shape of the output for that of the strings."""
        shape: Shape = tuple(input_shape)
        if self.output_mode == "int":
            return shape
        if self.output_mode == "one_hot" and (len(shape) < 2 or shape[-1] != 1):
            return (*shape, self._depth)
        return (*shape[:-1], self._depth)

    def call(self, x: np.ndarray, *args: Any, **options: Any) -> np.ndarray:
        """Return the output for strings, or with `invert` for numbers, that are checked."""
        if self.invert:
            return self._strings_of(x)
        ids = self.numbers_of(x.ravel().tolist())
        if self.output_mode == "int":
            return ids.reshape(x.shape)
        if self.output_mode == "one_hot":
            return one_hot(ids.reshape(x.shape), self._depth)
        *rows, length = x.shape or (1,)
        made = self.vectors_of(ids, np.full(math.prod(rows), length))
        return made.reshape(*rows, made.shape[-1])

    def numbers_of(self, tokens: Sequence[bytes]) -> np.ndarray:
        """Return the number of each token, `DROPPED` for one to leave out.

        Args:
            tokens: As UTF-8 bytes.

        Raises:
            ValueError: If there is no vocabulary, or no number for tokens that are not in it.
        """
        self._check_adapted()
        several = self.num_oov_indices != 1
        other = _UNKNOWN if several else self._first_unknown
        found = map(self._numbers.get, tokens, repeat(other))
        ids = np.fromiter(found, np.int64, len(tokens))
        if several:
            places = np.flatnonzero(ids == _UNKNOWN)
            ids[places] = self._hashed([tokens[place] for place in places.tolist()])
        return ids

    def _hashed(self, tokens: Sequence[bytes]) -> list[int]:
        """Return the numbers of tokens that are not in the vocabulary."""
        if tokens and not self.num_oov_indices:
            raise ValueError(
                f"All strings must be in the vocabulary of layer '{self.name}', which has "
                f"`num_oov_indices=0`. Received: {sorted(set(tokens))[:10]}"
            )
        key = self.salt
        hashes = (farm_hash(text) if key is None else sip_hash(text, key) for text in tokens)
        return [self._first_unknown + each % self.num_oov_indices for each in hashes]

    def vectors_of(self, ids: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return a vector for each row of numbers, in the output mode.

        Args:
            ids: The numbers of all rows, one after another.
            lengths: How many of them each row has.
        """
        found = counts(ids, lengths, self._depth)
        if self.output_mode == "multi_hot":
            found = np.minimum(found, 1)
        if self.output_mode == "tf_idf":
            if self._idf is None or len(self._idf) != self._depth:
                raise ValueError(
                    f"Layer '{self.name}' has no weights for the {self._depth} tokens of its "
                    "vocabulary: call `adapt`, or `set_vocabulary` with `idf_weights`."
                )
            found = found.astype(np.float32) * self._idf
        return found

    def _strings_of(self, numbers: np.ndarray) -> np.ndarray:
        self._check_adapted()
        if self.oov_token is None:
            raise ValueError("`oov_token` must be a string with `invert`. Received: oov_token=None")
        texts = np.empty(self.vocabulary_size() + 1, dtype=object)
        texts[:] = [text.encode(self.encoding) for text in [*self.get_vocabulary(), self.oov_token]]
        known = (numbers >= 0) & (numbers < len(texts) - 1)
        return np.asarray(texts[np.where(known, numbers, -1)], dtype=object)

    def _check_adapted(self) -> None:
        if self._tokens is None:
            raise ValueError(
                f"Layer '{self.name}' has no vocabulary yet: call `adapt` on some texts, or "
                "`set_vocabulary`, or give `vocabulary` to the constructor."
            )

    # ---------------------------------------------------------------------------------- config

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, in Keras's form."""
        vocabulary, idf_weights = self.config_of_vocabulary()
        return self._shared_config() | {
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "idf_weights": idf_weights,
            "vocabulary": vocabulary,
            "vocabulary_size": self._size,
            "oov_method": self.oov_method,
            "salt": self.salt,
            "encoding": self.encoding,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make a layer from the result of `get_config` (Keras's works too).

        Args:
            config: Dict of the constructor's arguments.

        Raises:
            ValueError: If it names a file, which a config from elsewhere must not have read.
        """
        refuse_file_name(config.get("vocabulary"))
        return super().from_config(config)


def refuse_file_name(vocabulary: Any) -> None:
    """Refuse a config that would have a file read.

    Raises:
        ValueError: If the vocabulary in it is a name.
    """
    if isinstance(vocabulary, str):
        raise ValueError(
            "`vocabulary` in a config must be a list: a file is read for the constructor or "
            f"`set_vocabulary` alone. Received: vocabulary={vocabulary!r}"
        )


def _key_of(salt: Any) -> list[int] | None:
    if salt is None:
        return None
    if is_integer(salt):
        return [int(salt)] * 2
    if isinstance(salt, (list, tuple)) and len(salt) == 2 and all(map(is_integer, salt)):
        return [int(each) for each in salt]
    raise ValueError(f"`salt` must be an integer or two of them. Received: salt={salt!r}")
