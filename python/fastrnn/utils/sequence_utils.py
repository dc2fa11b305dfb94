"""Helpers on lists of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: npt.DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Cut and pad sequences to one length.

    Args:
        sequences: One sequence per sample: numbers, or arrays that all have one shape.
        maxlen: Length of the result. Defaults to that of the longest sequence.
        dtype: Element type of the result; `object` for strings of any length.
        padding: `"pre"` or `"post"`: the end at which short sequences are padded.
        truncating: `"pre"` or `"post"`: the end at which long sequences are cut.
        value: The padding.

    Returns:
        Array of shape `[len(sequences), maxlen, *shape of an element]`.

    Raises:
        ValueError: If an argument is not understood, or elements differ in shape.

    Example:
        >>> pad_sequences([[1], [2, 3]])
        array([[0, 1],
               [2, 3]], dtype=int32)
    """
    for argument, choice in (("padding", padding), ("truncating", truncating)):
        if choice not in ("pre", "post"):
            raise ValueError(
                f"`{argument}` must be 'pre' or 'post'. Received: {argument}={choice!r}"
            )
    lengths = _lengths(sequences)
    if maxlen is None:
        if not lengths:
            raise ValueError("`maxlen` must be given where `sequences` is empty.")
        maxlen = max(lengths)
    if isinstance(value, str) and dtype is not object and np.dtype(dtype).kind not in "SU":
        raise ValueError(
            f"`value` must fit `dtype`; strings of any length need `dtype=object`. "
            f"Received: value={value!r}, dtype={dtype}"
        )
    first = next((s for s, length in zip(sequences, lengths, strict=True) if length), ())
    element_shape = np.asarray(first).shape[1:]
    padded = np.full((len(lengths), maxlen, *element_shape), value, dtype=dtype)
    # One array per row: no other way that was tried is faster for 200 Python ints.
    for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        if not length:
            continue
        kept = sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen]
        elements = np.asarray(kept, dtype=dtype)
        if elements.shape[1:] != element_shape:
            raise ValueError(
                f"All elements must have the shape {element_shape} of the first one. "
                f"Received: shape={elements.shape[1:]} in the sequence at position {row}"
            )
        if padding == "post":
            padded[row, : len(elements)] = elements
        else:
            padded[row, -len(elements) :] = elements
    return padded


def _lengths(sequences: Any) -> list[int]:
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"`sequences` must be a list of sequences. Received: {type(sequences).__name__}"
        )
    lengths = []
    for sequence in sequences:
        try:
            lengths.append(len(sequence))
        except TypeError:
            raise ValueError(
                f"`sequences` must be a list of sequences. Received an element {sequence!r}"
            ) from None
    return lengths
