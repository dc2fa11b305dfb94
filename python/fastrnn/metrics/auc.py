"""Area under the curve of a classifier's rates over its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastrnn import activations
from fastrnn.arguments import check_integer
from fastrnn.losses.loss import EPSILON
from fastrnn.metrics.confusion_matrix import (
    COUNTS,
    ConfusionMatrix,
    checked_thresholds,
    divide_no_nan,
    is_even,
)
from fastrnn.metrics.metric import Metric

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATION_METHODS = ("interpolation", "minoring", "majoring")


class AUC(Metric):
    """Area under a curve that thresholds from 0 to 1 trace, as a Riemann sum.

    Args:
        num_thresholds: Number of points of the curve.
        curve: `"ROC"` (true positive rate over false positive rate), `"PR"` (precision over
            recall), or `"PRGAIN"` (their gains, Flach & Kull, 2015).
        summation_method: `"interpolation"` (trapezoids; for `"PR"` the counts are interpolated,
            not their ratio: Davis & Goadrich, 2006), `"minoring"` (the lower height of each
            interval) or `"majoring"` (the higher one).
        name: Name of the metric.
        dtype: `"float32"` or None.
        thresholds: Thresholds in [0, 1] in place of `num_thresholds` even ones; one below 0 and
            one above 1 are added.
        multi_label: Whether the columns of `y_pred` are labels with an area each, of which the
            result is the mean; else all predictions are one set.
        num_labels: Number of columns, only with `multi_label`; None to take it from the data.
        label_weights: Weight of each column: in the mean of the areas with `multi_label`, else
            in the counts.
        from_logits: Whether `y_pred` holds logits rather than probabilities.

    Raises:
        ValueError: If an argument does not fit.

    Example:
        >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
        0.75
    """

    sums = COUNTS

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: npt.ArrayLike | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve = _one_of("curve", curve, _CURVES)
        self.summation_method = _one_of("summation_method", summation_method, _SUMMATION_METHODS)
        self._inner = None if thresholds is None else _sorted_thresholds(thresholds)
        if self._inner is None:
            num_thresholds = check_integer("num_thresholds", num_thresholds, 2)
            inner = [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
            self._even = True
        else:
            inner = self._inner
            self._even = is_even([0.0, *inner, 1.0])
        self.thresholds = [-EPSILON, *inner, 1.0 + EPSILON]
        self.num_thresholds = len(self.thresholds)
        if num_labels and not multi_label:
            raise ValueError(
                "`num_labels` needs `multi_label=True`. "
                f"Received: num_labels={num_labels!r}, multi_label={multi_label!r}"
            )
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = _checked_weights(label_weights)
        self.from_logits = from_logits
        self._matrix = self._new_matrix(num_labels)

    def _new_matrix(self, num_labels: int | None) -> ConfusionMatrix:
        return ConfusionMatrix(self.thresholds, self._even, num_labels)

    def update_state(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> None:
        """Count a batch.

        Args:
            y_true: Labels; any number other than 0 is positive.
            y_pred: Probabilities, or logits with `from_logits`, of the same shape; [batch,
                labels] with `multi_label`.
            sample_weight: A scalar, or weights of as many dimensions as `y_pred` or fewer.

        Raises:
            ValueError: If the shapes do not fit.
        """
        prediction = np.asarray(y_pred, dtype=np.float32)
        if self.from_logits:
            prediction = activations.sigmoid(prediction)
        if not self.multi_label:
            self._matrix.update(y_true, prediction, sample_weight, label_weights=self.label_weights)
            return
        columns = self._matrix.num_labels
        if prediction.ndim != 2 or columns not in (None, prediction.shape[1]):
            raise ValueError(
                f"`y_pred` must have shape [batch, {columns or 'labels'}] with `multi_label=True`. "
                f"Received: y_pred.shape={prediction.shape}"
            )
        if self.label_weights is not None and len(self.label_weights) != prediction.shape[1]:
            raise ValueError(
                "`label_weights` must have an entry for each label. Received: "
                f"{len(self.label_weights)} weights, y_pred.shape={prediction.shape}"
            )
        matrix = self._matrix if columns else self._new_matrix(prediction.shape[1])
        matrix.update(y_true, prediction, sample_weight)
        self._matrix = matrix

    def result(self) -> float:
        """Return the area; 0 if there was nothing."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            terms = self._interpolated_precision()
        else:
            x, y = self._curve()
            if self.summation_method == "interpolation":
                heights = (y[:-1] + y[1:]) / 2.0
            elif self.summation_method == "minoring":
                heights = np.minimum(y[:-1], y[1:])
            else:
                heights = np.maximum(y[:-1], y[1:])
            terms = (x[:-1] - x[1:]) * heights
        areas = terms.sum(axis=0)
        if self.multi_label and self.label_weights is not None:
            total = np.sum(areas * self.label_weights)
            return float(divide_no_nan(total, np.sum(self.label_weights, dtype=np.float64)))
        return float(np.mean(areas))

    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Return x and y for each threshold; x falls as the threshold rises."""
        matrix = self._matrix
        tp, fp = matrix.true_positives, matrix.false_positives
        tn, fn = matrix.true_negatives, matrix.false_negatives
        if self.curve == "ROC":
            return divide_no_nan(fp, fp + tn), divide_no_nan(tp, tp + fn)
        if self.curve == "PR":
            return divide_no_nan(tp, tp + fn), divide_no_nan(tp, tp + fp)
        odds = divide_no_nan(tp + fn, tn + fp)
        recall_gain = np.where(tp == 0.0, 0.0, 1.0 - odds * divide_no_nan(fn, tp))
        precision_gain = np.where(tp == 0.0, 1.0, 1.0 - odds * divide_no_nan(fp, tp))
        return np.maximum(recall_gain, 0.0), precision_gain

    def _interpolated_precision(self) -> np.ndarray:
        """Return the area of each interval below precision over recall.

        Between two thresholds TP and the number of positive predictions P = TP + FP are linear in
        each other, TP = slope P + offset, so that the integral of TP / P over TP is
        `slope (dTP + offset log(P_left / P_right))`.
        """
        tp = self._matrix.true_positives
        p = tp + self._matrix.false_positives
        d_tp = tp[:-1] - tp[1:]
        slope = divide_no_nan(d_tp, p[:-1] - p[1:])
        offset = tp[1:] - slope * p[1:]
        # Where there is no positive prediction on the right, precision is constant.
        ratio = np.where(p[1:] > 0.0, divide_no_nan(p[:-1], p[1:]), 1.0)
        positives = tp[1:] + self._matrix.false_negatives[1:]
        return divide_no_nan(slope * (d_tp + offset * np.log(ratio)), positives)

    def reset_state(self) -> None:
        """Forget all batches."""
        self._matrix.reset()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        weights = self.label_weights
        config = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if weights is None else weights.tolist(),
            "from_logits": self.from_logits,
        }
        if self._inner is not None:
            config["thresholds"] = self._inner
        return {**super().get_config(), **config}


def _one_of(name: str, value: Any, choices: Sequence[str]) -> str:
    for choice in choices:
        if isinstance(value, str) and value.lower() == choice.lower():
            return choice
    raise ValueError(f"`{name}` must be one of {tuple(choices)}. Received: {name}={value!r}")


def _sorted_thresholds(thresholds: Any) -> list[float]:
    return sorted(checked_thresholds(thresholds, default=0.5)) if len(thresholds) else []


def _checked_weights(weights: npt.ArrayLike | None) -> np.ndarray | None:
    if weights is None:
        return None
    values = np.asarray(weights, dtype=np.float32)
    if values.ndim != 1 or not (values >= 0.0).all():
        raise ValueError(
            f"`label_weights` must be a list of numbers >= 0. Received: label_weights={weights!r}"
        )
    return values
