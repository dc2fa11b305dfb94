"""Counts of true and false positives and negatives for many thresholds at once.

A prediction that exceeds exactly `n` of the sorted thresholds is positive for the first `n` and
negative for the others. So one histogram of these numbers, taken apart by label, holds the counts
for all thresholds: their cost does not grow with the number of thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn.losses.loss import EPSILON, check_same_shape, floats, same_rank
from fastrnn.state import get_attributes, set_attributes

LOWEST = -1e10
"""What predictions that are not among the `top_k` become, as in Keras; below any other."""


COUNTS = tuple(
    f"_matrix.{truth}_{side}" for truth in ("true", "false") for side in ("positives", "negatives")
)
"""`sums` of a metric that counts in its `_matrix`."""


class ConfusionMatrix:
    """Weighted counts of each kind of outcome, for each threshold.

    Args:
        thresholds: What a prediction must exceed to be positive.
        num_labels: Number of labels that are counted apart; None to count all together.
        even: Whether the thresholds divide [0, 1] evenly, as far as float32 can tell.

    Attributes:
        num_labels: As given.
        true_positives: Float64 array of shape [thresholds], or [thresholds, num_labels].
        false_positives: The same for labels 0 with positive predictions.
        true_negatives: The same for labels 0 with negative predictions.
        false_negatives: The same for labels 1 with negative predictions.
    """

    def __init__(
        self, thresholds: Sequence[float], even: bool, num_labels: int | None = None
    ) -> None:
        self.num_labels = num_labels
        self._even = even
        # A first threshold below 0 is exceeded by every prediction.
        self._least = np.float32(thresholds[0] < 0.0)
        values = np.asarray(thresholds, dtype=np.float32)
        self._order = np.argsort(values, kind="stable")
        self._sorted = values[self._order]
        self._shape = (len(values),) if num_labels is None else (len(values), num_labels)
        self.reset()

    def get_state(self) -> dict[str, Any]:
        """Return the counts, and what they are counts of."""
        return get_attributes(self, vars(self))

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned."""
        set_attributes(self, state)

    def reset(self) -> None:
        """Set all counts to 0."""
        self.true_positives = np.zeros(self._shape)
        self.false_positives = np.zeros(self._shape)
        self.true_negatives = np.zeros(self._shape)
        self.false_negatives = np.zeros(self._shape)

    def update(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        label_weights: np.ndarray | None = None,
    ) -> None:
        """Count a batch.

        Args:
            y_true: Labels; any number other than 0 is positive.
            y_pred: Predictions of the same shape, [batch, ...].
            sample_weight: A scalar, or weights [batch, ...] of as many dimensions as `y_pred` or
                fewer.
            top_k: Only the highest k predictions along the last axis can be positive.
            class_id: Only this entry of the last axis counts.
            label_weights: Weight of each entry of the last axis.

        Raises:
            ValueError: If shapes or arguments do not fit.
        """
        prediction, labels = same_rank(*floats(y_pred, y_true))
        check_same_shape(labels, prediction)
        if not prediction.ndim:
            raise ValueError("`y_pred` must have a dimension of samples. Received: a scalar")
        if top_k is not None:
            prediction = _keep_top_k(prediction, top_k)
        if class_id is not None:
            if prediction.ndim == 1 or class_id >= prediction.shape[-1]:
                raise ValueError(
                    f"`class_id` must be less than the number of classes, the last dimension of "
                    f"`y_pred`. Received: class_id={class_id}, y_pred.shape={prediction.shape}"
                )
            labels = labels[..., class_id, np.newaxis]
            prediction = prediction[..., class_id, np.newaxis]
        weight = _weights(prediction.shape, sample_weight, label_weights)
        self._count(labels != 0, prediction, weight)

    def _count(self, labels: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None) -> None:
        count = len(self._sorted)
        columns = 1 if len(self._shape) == 1 else self._shape[1]
        cell = self._exceeded(prediction) + (count + 1) * labels
        if columns > 1:
            cell = cell + 2 * (count + 1) * np.arange(columns)
        histogram = np.bincount(
            cell.ravel(),
            weights=None if weight is None else weight.ravel(),
            minlength=2 * (count + 1) * columns,
        ).reshape(columns, 2, count + 1)
        # Entry i: the weight of all predictions that exceed more than i thresholds, or not.
        positive = np.cumsum(histogram[..., ::-1], axis=-1, dtype=np.float64)[..., -2::-1]
        negative = np.cumsum(histogram, axis=-1, dtype=np.float64)[..., :-1]
        for counts, (false, true) in (
            (positive, (self.false_positives, self.true_positives)),
            (negative, (self.true_negatives, self.false_negatives)),
        ):
            false[self._order] += counts[:, 0].T.reshape(self._shape)
            true[self._order] += counts[:, 1].T.reshape(self._shape)

    def _exceeded(self, prediction: np.ndarray) -> np.ndarray:
        """Return how many thresholds each prediction exceeds; none if it is NaN."""
        if self._even:
            # Keras's rounding: predictions next to a threshold fall on its side of it.
            last = np.float32(len(self._sorted) - 1)
            number = np.maximum(np.ceil(np.clip(prediction, 0.0, 1.0) * last), self._least)
        else:
            number = np.searchsorted(self._sorted, prediction, side="left")
        return np.where(np.isnan(prediction), 0, number).astype(np.intp)


def is_even(thresholds: Sequence[float]) -> bool:
    """Tell whether three or more thresholds divide [0, 1] evenly, in ascending order."""
    last = len(thresholds) - 1
    if last < 2:
        return False
    even = np.arange(last + 1, dtype=np.float32) / np.float32(last)
    return np.allclose(thresholds, even, atol=EPSILON)


def checked_thresholds(thresholds: Any, default: float) -> list[float]:
    """Return thresholds as a list.

    Raises:
        ValueError: If one of them is not in [0, 1], or there is none.
    """
    if thresholds is None:
        return [default]
    values = [thresholds] if np.ndim(thresholds) == 0 else list(thresholds)
    if not values or not all(value is not None and 0.0 <= value <= 1.0 for value in values):
        raise ValueError(
            "`thresholds` must be a number in [0, 1], or a list of them. "
            f"Received: thresholds={thresholds!r}"
        )
    return [float(value) for value in values]


def divide_no_nan(dividend: npt.ArrayLike, divisor: npt.ArrayLike) -> np.ndarray:
    """Return the quotients; 0 where the divisor is 0."""
    top, bottom = np.broadcast_arrays(
        np.asarray(dividend, np.float64), np.asarray(divisor, np.float64)
    )
    quotients = np.zeros(top.shape)
    np.divide(top, bottom, out=quotients, where=bottom != 0.0)
    return quotients


def _keep_top_k(prediction: np.ndarray, k: int) -> np.ndarray:
    """Set all but the k highest of each row to `LOWEST`; of equal predictions the first win."""
    if k > prediction.shape[-1]:
        raise ValueError(
            "`top_k` must not exceed the last dimension of `y_pred`. "
            f"Received: top_k={k}, y_pred.shape={prediction.shape}"
        )
    highest = np.argsort(-prediction, axis=-1, kind="stable")[..., :k]
    kept = np.full_like(prediction, LOWEST)
    np.put_along_axis(kept, highest, np.take_along_axis(prediction, highest, axis=-1), axis=-1)
    return kept


def _weights(
    shape: tuple[int, ...],
    sample_weight: npt.ArrayLike | None,
    label_weights: np.ndarray | None,
) -> np.ndarray | None:
    """Return the factor of each prediction; None if all are 1."""
    weight: np.ndarray | None = None
    if sample_weight is not None:
        weight = np.asarray(sample_weight, dtype=np.float32)
        given = weight.shape
        if weight.ndim == len(shape) + 1 and given[-1] == 1:
            weight = weight[..., 0]
        elif weight.ndim:
            weight = weight.reshape(given + (1,) * (len(shape) - len(given)))
        try:
            weight = np.broadcast_to(weight, shape)
        except ValueError:
            raise ValueError(
                f"`sample_weight` must be a scalar or fit the predictions of shape {shape}. "
                f"Received: sample_weight.shape={given}"
            ) from None
    if label_weights is None:
        return weight
    if len(shape) < 2 or shape[-1] != len(label_weights):
        raise ValueError(
            "`label_weights` must have an entry for each label, the last dimension of `y_pred`. "
            f"Received: {len(label_weights)} weights, y_pred.shape={shape}"
        )
    return np.broadcast_to(label_weights if weight is None else weight * label_weights, shape)
