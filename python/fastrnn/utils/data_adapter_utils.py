"""A batch as one value, and back, for steps of training that users write."""

from __future__ import annotations

from typing import Any


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return a batch as `train_step` gets it.

    Args:
        x: Inputs.
        y: Labels, or None.
        sample_weight: Weights of the samples, or None.

    Returns:
        x alone (in a tuple if it is a list or tuple), `(x, y)` or `(x, y, sample_weight)`.

    Example:
        >>> pack_x_y_sample_weight("x", "y")
        ('x', 'y')
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, list | tuple) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and the sample weights of a batch; None for what is not there.

    Args:
        data: What `pack_x_y_sample_weight` returned.

    Returns:
        x, y and sample weights.

    Raises:
        ValueError: If a tuple has more than three entries.

    Example:
        >>> unpack_x_y_sample_weight(("x", "y"))
        ('x', 'y', None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "`data` must be x, (x, y) or (x, y, sample_weight). "
            f"Received: a tuple of {len(data)} entries"
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight
