"""Loss and metrics of `compile` for steps that a user wrote: they meet the data only there."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn import metrics
from fastrnn.metrics import Mean, Metric
from fastrnn.symbolic import flatten
from fastrnn.tracing import mask_of, plain
from fastrnn.trainers.data.labels import as_sample_weight
from fastrnn.trainers.loss_and_metrics import LossAndMetrics, unique_names


class MetricOfData(Metric):
    """A metric of `compile` whose kind may depend on the first labels and predictions.

    Args:
        identifier: What `compile` was given.
        name: Its key in logs.
    """

    def __init__(self, identifier: Any, name: str) -> None:
        super().__init__(name=name)
        self._identifier = identifier
        self.metric: Metric | None = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: Labels.
            y_pred: Predictions.
            sample_weight: Weight of each sample; None for 1.
        """
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred, np.float32)
        if self.metric is None:
            self.metric = metrics.resolve(self._identifier, y_true.shape, y_pred.shape)
            self.metric.reset_state()
        self.metric.update_state(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """Return the metric of all batches since the last reset; 0 before the first."""
        return 0.0 if self.metric is None else self.metric.result()

    def reset_state(self) -> None:
        """Forget all batches."""
        if self.metric is not None:
            self.metric.reset_state()

    def get_state(self) -> dict[str, Any]:
        """Return what was gathered since the last reset."""
        return {} if self.metric is None else self.metric.get_state()

    def set_state(self, state: Any) -> None:
        """Bring back what `get_state` returned."""
        if self.metric is not None:
            self.metric.set_state(state)


class OwnTerms:
    """The losses and metrics of a model whose steps a user wrote.

    Args:
        terms: What `compile` was given.

    Attributes:
        loss_tracker: The mean of the loss, for the steps that are not overridden.
        metrics: The metrics, under the names that logs have for them.
    """

    def __init__(self, terms: LossAndMetrics) -> None:
        self._terms = terms.terms
        self.loss_tracker = Mean(name="loss")
        plain_ones: list[tuple[str | None, Metric]] = []
        weighted: list[tuple[str | None, Metric]] = []
        identifiers: list[tuple[int, Any, bool]] = []
        for number, each in enumerate(self._terms):
            plain_ones += [(each.name, metric) for metric in each.metrics_before_data()[0]]
            identifiers += [(number, given, False) for given in each.metric_identifiers()]
        for number, each in enumerate(self._terms):
            weighted += [(each.name, metric) for metric in each.metrics_before_data()[1]]
            identifiers += [(number, given, True) for given in each.weighted_identifiers()]
        names = unique_names(plain_ones, weighted)
        self._updates = [
            (number, MetricOfData(given, name), is_weighted)
            for (number, given, is_weighted), name in zip(identifiers, names, strict=True)
        ]
        self.metrics: list[Metric] = [metric for _, metric, _ in self._updates]

    @property
    def has_loss(self) -> bool:
        """Whether `compile` was given a loss."""
        return any(each.has_loss for each in self._terms)

    def loss(self, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return the sum of the losses of the outputs, each times its weight; None without any.

        Args:
            y: Labels, in the structure of the predictions.
            y_pred: Predictions, traced or not.
            sample_weight: Weights, one for all or in that structure; or None.
        """
        total: Any = None
        for each, labels, prediction, weight in self._by_output(y, y_pred, sample_weight):
            if not each.has_loss or labels is None:
                continue
            labels = np.asarray(plain(labels))
            loss = each.loss_of(labels.shape, np.shape(plain(prediction)))
            value = loss(labels, prediction, weight, mask=mask_of(prediction))
            value = value if each.loss_weight == 1.0 else value * np.float32(each.loss_weight)
            total = value if total is None else total + value
        return total

    def update_metrics(self, y: Any, y_pred: Any, sample_weight: Any) -> None:
        """Add a batch to the metrics; the arguments are those of `loss`."""
        outputs = self._by_output(y, y_pred, sample_weight)
        for number, metric, weighted in self._updates:
            _, labels, prediction, weight = outputs[number]
            weight = weight if weighted else None
            mask = plain(mask_of(prediction))
            if mask is not None and np.ndim(plain(prediction)) > np.ndim(mask):
                weight = mask if weight is None else weight * mask
            metric.update_state(labels, prediction, weight)

    def _by_output(self, y: Any, y_pred: Any, sample_weight: Any) -> list[Any]:
        predictions = flatten(y_pred)
        labels = flatten(y) if len(predictions) > 1 else [y]
        if len(labels) != len(predictions):
            raise ValueError(
                f"`y` must have one array for each of the {len(predictions)} outputs. "
                f"Received: {len(labels)} of them"
            )
        weights = flatten(sample_weight)
        if len(weights) != len(predictions):
            weights = [sample_weight] * len(predictions)
        if len(self._terms) != len(predictions):
            raise ValueError(
                f"`loss` and `metrics` of `compile` are for {len(self._terms)} outputs. "
                f"Received: {len(predictions)} of them"
            )
        return [
            (each, own, prediction, _fitting(weight, own, prediction))
            for each, own, prediction, weight in zip(
                self._terms, labels, predictions, weights, strict=True
            )
        ]


def _fitting(weight: Any, labels: Any, prediction: Any) -> Any:
    """Return sample weights in the shape of the values of a loss, or None."""
    if weight is None or labels is None:
        return None
    shapes = [np.shape(plain(each)) for each in (labels, prediction)]
    return as_sample_weight(plain(weight), *shapes)
