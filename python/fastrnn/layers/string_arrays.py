"""Conversion of a user's texts, once, to arrays of UTF-8 bytes; or an error."""

from __future__ import annotations

import codecs
from typing import Any

import numpy as np

_MISSING = "Fill in missing texts first, for example by `series.fillna('')`. "


def check_encoding(encoding: Any) -> str:
    """Return the name of a text encoding that Python knows.

    Raises:
        ValueError: If it is not one.
    """
    try:
        codecs.lookup(encoding)
    except (LookupError, TypeError) as error:
        raise ValueError(
            f"`encoding` must be the name of a text encoding. Received: encoding={encoding!r}"
        ) from error
    return str(encoding)


def as_strings(value: Any, name: str, encoding: str = "utf-8") -> np.ndarray:
    """Return texts as an array of objects, each the UTF-8 bytes of one text.

    Args:
        value: A string, or an array or nested lists of strings; `str` or `bytes`.
        name: What to call it in messages.
        encoding: How `bytes` are to be read. UTF-8 is taken as it is, also where it is not valid.

    Returns:
        Array of dtype object, of the shape of `value`.

    Raises:
        TypeError: If an element is not a string.
        ValueError: If nested lists have different lengths, or a text has no such encoding.
    """
    array = as_objects(value, name)
    utf8 = codecs.lookup(encoding).name in ("utf-8", "ascii")
    texts: list[bytes] = []
    for position, text in enumerate(array.ravel().tolist()):
        try:
            if isinstance(text, str):
                texts.append(text.encode())
            elif isinstance(text, bytes):
                texts.append(bytes(text) if utf8 else text.decode(encoding).encode())
            else:
                is_nan = isinstance(text, float) and text != text
                missing = text is None or is_nan or type(text).__name__ == "NAType"
                raise TypeError(
                    f"`{name}` must hold strings. {_MISSING if missing else ''}"
                    f"Received: {text!r} (of type {type(text).__name__}) at position {position}"
                )
        except UnicodeError as error:
            raise ValueError(
                f"`{name}` must hold texts in the encoding of the layer, {encoding}. "
                f"Received: {text!r} at position {position}, where {error}"
            ) from error
    result = np.empty(len(texts), dtype=object)
    result[:] = texts
    return result.reshape(array.shape)


def as_objects(value: Any, name: str) -> np.ndarray:
    """Return an array of objects of the strings in an array or in nested lists, as they are.

    Args:
        value: A string, or an array or nested lists of strings.
        name: What to call it in messages.

    Raises:
        TypeError: If it is an array of something else.
        ValueError: If nested lists have different lengths.
    """
    array: np.ndarray
    if isinstance(value, (str, bytes)):
        array = np.empty((), dtype=object)
        array[()] = value
        return array
    if isinstance(value, (list, tuple)):
        if not any(isinstance(each, (list, tuple, np.ndarray)) for each in value):
            array = np.empty(len(value), dtype=object)
            array[:] = [_scalar(each) for each in value]
            return array
        parts = [as_objects(each, name) for each in value]
        if len({part.shape for part in parts}) > 1:
            raise ValueError(
                f"`{name}` must be a rectangular array: all of its lists must have one length. "
                f"Received: shapes {sorted({part.shape for part in parts})}"
            )
        return np.stack(parts)
    if value is None:
        raise TypeError(f"`{name}` must be an array of strings. Received: {name}=None")
    if hasattr(value, "row_splits"):  # a ragged tensor
        return as_objects(value.to_list(), name)
    array = np.asarray(value)
    if array.dtype.kind not in "OSTU":
        raise TypeError(f"`{name}` must hold strings. Received: dtype={array.dtype}")
    return array if array.dtype == object else array.astype(object)


def _scalar(value: Any) -> Any:
    """Return the string that an array without dimensions holds; anything else as it is."""
    is_text = isinstance(value, (str, bytes))
    return value if is_text or not hasattr(value, "__array__") else np.asarray(value).tolist()
