"""The loss and the metrics of one output, together in one native call where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastrnn import activations, kernels, metrics
from fastrnn.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from fastrnn.losses.reduction import both_masks
from fastrnn.metrics import MeanMetricWrapper, Metric

# The loss of each kernel, and what its two means are also the results of. Classes derived from
# these may compute something else.
_KERNELS: dict[type[Loss], tuple[str, type[Metric] | None, type[Metric]]] = {
    BinaryCrossentropy: ("binary_crossentropy", None, metrics.BinaryAccuracy),
    CategoricalCrossentropy: ("categorical_crossentropy", None, metrics.CategoricalAccuracy),
    SparseCategoricalCrossentropy: (
        "sparse_categorical_crossentropy",
        None,
        metrics.SparseCategoricalAccuracy,
    ),
    MeanSquaredError: (
        "mean_squared_error",
        metrics.MeanSquaredError,
        metrics.MeanAbsoluteError,
    ),
    MeanAbsoluteError: (
        "mean_absolute_error",
        metrics.MeanAbsoluteError,
        metrics.MeanSquaredError,
    ),
}

Update = tuple[Metric, bool, bool]
"""A metric, and whether the mask and the sample weights reach it."""


@dataclass
class OutputPart:
    """What a step does with one output of the model.

    Attributes:
        name: What logs call it; None for the only output.
        loss: Its loss, or None.
        loss_weight: Factor of the loss.
        metrics: The metrics that sample weights do not reach.
        weighted_metrics: Those that they reach.
        activation: The activation whose scores the output holds in place of its results, or None.
        updates: Each metric, and whether the mask and the sample weights reach it.
    """

    name: str | None
    loss: Loss | None
    loss_weight: float
    metrics: Sequence[Metric]
    weighted_metrics: Sequence[Metric]
    activation: activations.Activation | None = None

    def __post_init__(self) -> None:
        self.updates: list[Update] = [
            (each, isinstance(each, MeanMetricWrapper), False) for each in self.metrics
        ]
        for each in self.weighted_metrics:
            self.updates.append((each, isinstance(each, MeanMetricWrapper), True))
        self._kernel: str | None = None
        self._native: list[tuple[Any, int]] = []  # a metric, and which mean is that of the batch
        self._others = self.updates

    def prepare(self) -> None:
        """Find what one native call computes; once `activation` is known."""
        loss: Any = self.loss
        kernel, *kinds = _KERNELS.get(type(loss), (None,))
        if kernel is None or loss.reduction not in ("sum_over_batch_size", "mean"):
            return
        if kernel.endswith("crossentropy"):
            if self.activation is None and not loss.from_logits:
                return
            if getattr(loss, "label_smoothing", 0.0) or getattr(loss, "ignore_class", None):
                return
        self._kernel = kernel
        self._others = []
        self._threshold = 0.5
        for update in self.updates:
            metric: Any = update[0]
            if type(metric) not in kinds:
                self._others.append(update)
                continue
            if isinstance(metric, metrics.BinaryAccuracy):
                if self._native and metric.threshold != self._threshold:
                    self._others.append(update)
                    continue
                self._threshold = metric.threshold
            self._native.append((metric, kinds.index(type(metric))))

    def evaluate(
        self, y: Any, y_pred: np.ndarray, weight: Any, mask: np.ndarray | None, gradient: bool
    ) -> tuple[float, float | None, Any]:
        """Return the loss, the mean of the metric that goes with it, and the gradient.

        Args:
            y: Labels.
            y_pred: The output.
            weight: Sample weights, or None.
            mask: Mask of the output, or None.
            gradient: Whether the gradient is wanted.

        Returns:
            The loss; the mean of the metric, None where the metrics are to be computed from the
            output; the gradient, None where it is not wanted.
        """
        assert self.loss is not None
        if self._kernel is not None and weight is None and mask is None and self._fits(y, y_pred):
            return kernels.batch_loss(
                self._kernel,
                y,
                y_pred,
                sigmoid=self.activation is not None,
                threshold=self._threshold,
                gradient=gradient,
            )
        from_logits = self.activation is not None
        if not gradient:
            loss = self.loss(y, y_pred, weight, mask=mask, from_logits=from_logits)
            return float(loss), None, None
        loss, d_y = self.loss.value_and_gradient(
            y, y_pred, weight, mask=mask, from_logits=from_logits
        )
        return loss, None, d_y

    def divisor(self, y: Any, y_pred: np.ndarray, weight: Any, mask: np.ndarray | None) -> float:
        """Return how much a part of a batch counts in the loss of the whole batch.

        The loss of the batch is the mean of those of its parts, weighted by this number; with
        `reduction="sum"` their sum.

        Args:
            y: Labels.
            y_pred: The output.
            weight: Sample weights, or None.
            mask: Mask of the output, or None.
        """
        assert self.loss is not None
        counted = self.loss.counted(np.asarray(y))
        if counted is not None and mask is not None:
            counted = counted.reshape(mask.shape)
        counted = both_masks(mask, counted)
        if self.loss.reduction == "mean_with_sample_weight" and weight is not None:
            factor = np.asarray(weight, dtype=np.float64)
            if counted is not None:
                if factor.ndim == counted.ndim + 1:
                    factor = factor[..., 0]
                factor = factor * counted
            return float(factor.sum())
        return float(len(y_pred) if counted is None else np.count_nonzero(counted))

    def counts_rows(self, y: Any, weight: Any, mask: np.ndarray | None) -> bool:
        """Return whether `divisor` is the number of rows, whatever values they have."""
        assert self.loss is not None
        weighted = self.loss.reduction == "mean_with_sample_weight" and weight is not None
        return mask is None and not weighted and self.loss.counted(np.asarray(y)) is None

    def _fits(self, y: np.ndarray, y_pred: np.ndarray) -> bool:
        """Return whether there are labels for each element or row, in the order of the output."""
        classes: int = y_pred.shape[-1]
        size: int = y_pred.size
        if self._kernel == "sparse_categorical_crossentropy":
            return 0 < y.size < size == y.size * classes
        if self._kernel == "categorical_crossentropy":
            return classes > 1 and size > 0 and bool(y.shape == y_pred.shape)
        return 0 < size == y.size

    def update_metrics(
        self,
        y: Any,
        y_pred: np.ndarray,
        weight: Any,
        mask: np.ndarray | None,
        means: tuple[float, float | None] | None,
    ) -> None:
        """Add a batch to the metrics.

        Args:
            y: Labels.
            y_pred: The output.
            weight: Sample weights, or None.
            mask: Mask of the output, or None.
            means: The two means of `evaluate`; None without a loss.
        """
        updates = self.updates
        if means is not None and means[1] is not None:
            updates = self._others
            for metric, which in self._native:
                metric.add_mean(means[which], len(y_pred))
        if not updates:
            return
        if self.activation is not None:
            y_pred = self.activation(y_pred)
        update_each(updates, y, y_pred, weight, mask)

    def take_updates(self, wanted: Callable[[Metric], bool]) -> list[Update]:
        """Return the `updates` of some metrics, which this object then leaves to the caller."""
        taken = [update for update in self.updates if wanted(update[0])]
        self.updates = [update for update in self.updates if not wanted(update[0])]
        self._others = [update for update in self._others if not wanted(update[0])]
        return taken


def update_each(
    updates: Iterable[Update], y: Any, y_pred: np.ndarray, weight: Any, mask: np.ndarray | None
) -> None:
    """Add a batch to metrics, with the mask and the sample weights where they reach them."""
    for metric, masked, weighted in updates:
        own = weight if weighted else None
        if masked and mask is not None:
            own = mask if own is None else own * mask
        metric.update_state(y, y_pred, own)
