"""Helpers on arrays of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastrnn.arguments import is_integer


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """Turn class ids into one-hot rows.

    Args:
        x: Class ids, any shape; a last dimension of 1 is dropped. A negative id counts from the
            end, as in Keras: -1 is the last class.
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
        if num_classes < 1:
            raise ValueError(
                "`num_classes` must be given where all ids of `x` are negative. "
                f"Received: {ids.flat[0]}"
            )
    bad = ids[(ids < -num_classes) | (ids >= num_classes)]
    if bad.size:
        raise ValueError(
            f"`x` must hold class ids in [{-num_classes}, {num_classes}). Received: {bad[0]}"
        )
    one_hot = np.zeros((*ids.shape, num_classes))
    np.put_along_axis(one_hot, ids[..., np.newaxis] % num_classes, 1.0, axis=-1)
    return one_hot


def normalize(x: npt.ArrayLike, axis: int = -1, order: float = 2) -> np.ndarray:
    """Divide by the norm along an axis; vectors of zeros stay as they are.

    Args:
        x: Numbers, any shape.
        axis: The axis along which the vectors lie.
        order: Order of the norm, as in `numpy.linalg.norm`: 2 for the Euclidean norm.

    Returns:
        Array of the shape of `x`.

    Raises:
        ValueError: If `x` has no axis `axis`.

    Example:
        >>> normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    array = np.asarray(x)
    if not is_integer(axis) or not -array.ndim <= axis < array.ndim:
        raise ValueError(
            f"`axis` must be an axis of `x`, which has {array.ndim}. Received: axis={axis!r}"
        )
    norm = np.linalg.norm(array, order, axis, keepdims=True)
    return np.asarray(array / np.where(norm == 0, np.ones_like(norm), norm))
