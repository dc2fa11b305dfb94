"""Data for the tests after each epoch, cut off or given beside."""

from __future__ import annotations

import math
from typing import Any


def split_index(samples: int, validation_split: float) -> int:
    """Return how many samples stay for training; the others, at the end, are for validation.

    Raises:
        ValueError: If one of the parts would be empty.
    """
    if not isinstance(validation_split, (int, float)) or not 0.0 <= validation_split <= 1.0:
        raise ValueError(
            "`validation_split` must be a number between 0 and 1. "
            f"Received: validation_split={validation_split!r}"
        )
    index = math.floor(samples * (1.0 - validation_split))
    if index in (0, samples):
        raise ValueError(
            f"`validation_split` must leave samples for training and for validation. "
            f"Received: validation_split={validation_split} of {samples} samples"
        )
    return index


def unpack(data: Any, name: str) -> tuple[Any, Any, Any]:
    """Return x, y and the sample weights of a tuple that has all or the first of them.

    Args:
        data: Tuple (x, y), (x, y, sample_weight) or (x,); anything else is x alone.
        name: What to call it in messages.

    Raises:
        ValueError: If it has another length.
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"{name} must be a tuple (x, y) or (x, y, sample_weight). "
            f"Received: a {type(data).__name__} of {len(data)} elements"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight
