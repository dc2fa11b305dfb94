"""Helpers on arrays of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """Turn class ids into one-hot rows.

    Args:
        x: Class ids in [0, num_classes), any shape; a last dimension of 1 is dropped.
        num_classes: Number of classes. Defaults to the largest id plus 1.

    Returns:
        Float64 array of shape `[*x.shape, num_classes]`.

    Raises:
        ValueError: If an id is out of range, or there is none to infer `num_classes` from.

    Example:
        >>> to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    ids = np.array(x, dtype=np.int64)
    if ids.ndim > 1 and ids.shape[-1] == 1:
        ids = ids[..., 0]
    if not num_classes:
        if not ids.size:
            raise ValueError("`num_classes` must be given where `x` is empty.")
        num_classes = int(ids.max()) + 1
    bad = ids[(ids < 0) | (ids >= num_classes)]
    if bad.size:
        raise ValueError(f"`x` must hold class ids in [0, {num_classes}). Received: {bad[0]}")
    one_hot = np.zeros((*ids.shape, num_classes))
    np.put_along_axis(one_hot, ids[..., np.newaxis], 1.0, axis=-1)
    return one_hot
