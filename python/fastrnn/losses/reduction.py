"""From the values of a loss to one number: sample weights, masks, and means."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def reduce_values(
    values: np.ndarray,
    sample_weight: npt.ArrayLike | None,
    mask: np.ndarray | None,
    reduction: str | None,
) -> tuple[Any, Any]:
    """Reduce the values of a loss.

    Args:
        values: Loss of each sample, or of each step of each sample.
        sample_weight: Factor of each value: a scalar, or an array that broadcasts to `values`.
        mask: True where a value counts, of the shape of `values`; None if all do.
        reduction: One of `REDUCTIONS`.

    Returns:
        The reduced value, and d result / d values: a scalar or an array of the shape of `values`.
        Without reduction, the weighted values and their weights.

    Raises:
        ValueError: If `sample_weight` or `mask` does not fit.
    """
    weight = _merged_weight(values, sample_weight, mask, reduction)
    weighted = values if weight is None else values * weight
    if reduction is None or reduction == "none":
        return weighted, weight
    divisor = 1.0
    if reduction != "sum":
        divisor = float(np.size(values))
        if reduction == "mean_with_sample_weight" and weight is not None:
            # As in Keras, a weight that stands for several values counts once.
            divisor = float(np.sum(weight))
    # If all weights are 0 the loss is 0, instead of a division by zero.
    scale = np.float32(1.0 / divisor if divisor else 0.0)
    total = np.add.reduce(weighted, axis=None, dtype=np.float32)
    result = total / np.float32(divisor) if divisor else np.float32(0.0)
    if weight is None:
        return result, scale
    return result, np.broadcast_to(weight * scale, np.shape(values))


def both_masks(mask: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    """Return the logical and of two masks; None stands for a mask of True."""
    if mask is None or other is None:
        return other if mask is None else mask
    return np.asarray(mask & other)


def _merged_weight(
    values: np.ndarray,
    sample_weight: npt.ArrayLike | None,
    mask: np.ndarray | None,
    reduction: str | None,
) -> np.ndarray | None:
    """Combine sample weights and mask into one factor that broadcasts to `values`, or None."""
    shape = np.shape(values)
    weight: np.ndarray | None = None
    if mask is not None:
        if mask.shape != shape:
            raise ValueError(
                f"The mask of `y_pred` must have shape {shape}, an entry for each value "
                "of the loss; labels of as many dimensions as `y_pred` make it so. "
                f"Received: mask.shape={mask.shape}"
            )
        weight = mask.astype(np.float32)
        if reduction in ("sum_over_batch_size", "mean"):
            # The divisor counts all values, so the valid ones stand in for the masked ones.
            weight *= mask.size / max(int(np.count_nonzero(mask)), 1)
    if sample_weight is not None:
        factor = np.asarray(sample_weight, dtype=np.float32)
        if factor.ndim == len(shape) + 1 and factor.shape[-1] == 1:
            factor = factor[..., 0]
        try:
            np.broadcast_to(factor, shape)
        except ValueError:
            raise ValueError(
                f"`sample_weight` must be a scalar or have shape {shape}, one weight "
                f"for each value of the loss. Received: sample_weight.shape={factor.shape}"
            ) from None
        weight = factor if weight is None else weight * factor
    return weight
