"""Conversion of a user's data, once, to float32 or int32 arrays; or an error."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

_RAGGED = (
    " Sequences of different lengths must be padded first, for example by "
    "`fastrnn.utils.pad_sequences`."
)


def as_numbers(value: Any, name: str) -> np.ndarray:
    """Return `value` as an array of real numbers, without a copy where it is one.

    Args:
        value: Array, or nested lists of numbers.
        name: What to call it in messages.

    Raises:
        TypeError: If the elements are not real numbers.
        ValueError: If nested lists have different lengths.
    """
    if value is None:
        raise TypeError(f"`{name}` must be an array of numbers. Received: {name}=None")
    try:
        array = np.asarray(value)
    except ValueError as error:
        if not isinstance(value, (list, tuple)):  # such as a symbolic tensor of Keras
            raise TypeError(
                f"`{name}` must be an array. Received: an object of type "
                f"{type(value).__module__}.{type(value).__qualname__}, which is not one: {error}"
            ) from error
        raise ValueError(f"`{name}` must be a rectangular array.{_RAGGED}") from error
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind == "O" and array.size:
        strange = [each for each in array.flat if not isinstance(each, (Real, np.bool_))]
        if not strange:  # such are frames of pandas with columns of several dtypes
            return array.astype(np.float64)
        for each in strange:
            if not hasattr(each, "__len__") or isinstance(each, (str, bytes)):
                raise TypeError(
                    f"`{name}` must hold real numbers. Received: {each!r} (of type "
                    f"{type(each).__name__}) among them"
                )
    if array.dtype.kind == "O":
        raise ValueError(
            f"`{name}` must be a rectangular array of numbers.{_RAGGED} "
            f"Received: dtype=object, shape={array.shape}"
        )
    raise TypeError(f"`{name}` must hold real numbers. Received: dtype={array.dtype}")


def as_floats(value: Any, name: str) -> np.ndarray:
    """Return `value` as a C-contiguous float32 array, without a copy where it is one."""
    return np.ascontiguousarray(as_numbers(value, name), dtype=np.float32)


def as_own_input(value: Any, name: str) -> np.ndarray:
    """Return what a user's `call` gets: an array of integers or booleans as it is, else float32.

    Args:
        value: Array, or nested lists of numbers, which become floats.
        name: What to call it in messages.
    """
    array = as_numbers(value, name)
    whole = array.dtype.kind in "iub" and hasattr(value, "__array__")
    return array if whole else np.ascontiguousarray(array, dtype=np.float32)


def as_mask(value: Any, sequences: np.ndarray) -> np.ndarray:
    """Return the mask of sequences `[batch, steps, ...]` as a C-contiguous array of booleans.

    Args:
        value: Array or nested lists of booleans (or numbers, of which 0 is False),
            `[batch, steps]`.
        sequences: What it is the mask of.

    Raises:
        TypeError: If the elements are not numbers.
        ValueError: If the shape differs.
    """
    mask = as_numbers(value, "mask")
    if mask.shape != sequences.shape[:2]:
        raise ValueError(
            f"`mask` must have shape {sequences.shape[:2]}, (batch, steps). "
            f"Received: shape={mask.shape}"
        )
    return np.ascontiguousarray(mask, dtype=np.bool_)


def as_tokens(value: Any, vocabulary: int, name: str) -> np.ndarray:
    """Return `value` as a C-contiguous int32 array of token ids.

    Args:
        value: Array or nested lists of whole numbers in [0, vocabulary).
        vocabulary: Number of different tokens.
        name: What to call it in messages.

    Raises:
        ValueError: If a number is not whole or not in the range.
    """
    array = as_numbers(value, name)
    if array.dtype.kind == "f":
        fractional = array != np.floor(array)  # also true for NaN
        if fractional.any():
            raise ValueError(
                f"`{name}` must hold integers, the ids of tokens. "
                f"Received: {array[fractional][0]} (dtype={array.dtype})"
            )
    if array.size:
        low, high = array.min(), array.max()
        if low < 0 or high >= vocabulary:
            raise ValueError(
                f"`{name}` must hold ids in [0, {vocabulary}), the `input_dim` of the Embedding. "
                f"Received: id {high if high >= vocabulary else low}"
            )
    return np.ascontiguousarray(array, dtype=np.int32)
