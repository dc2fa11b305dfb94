"""The loss and the metrics of one output of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

import numpy as np

from fastrnn import losses, metrics
from fastrnn.layers.layer import Shape
from fastrnn.losses import Loss
from fastrnn.metrics import Metric
from fastrnn.naming import names_not_counted


class OutputTerms:
    """Loss and metrics of one output, some of which depend on the shapes of the data.

    Args:
        name: What logs call the output; None for the only one of a model.
        loss: Name, object or config of `fastrnn.losses`; "crossentropy" for the one that suits
            the data; None for none.
        loss_weight: Factor of the loss; None for 1.
        metrics: Names, objects or configs of `fastrnn.metrics`, or functions; one or several.
        weighted_metrics: Likewise, of those that sample weights weigh too.

    Raises:
        ValueError: If one of them is not known.
    """

    def __init__(
        self,
        name: str | None,
        loss: Any,
        loss_weight: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
    ) -> None:
        self.name = name
        self._loss = loss
        self.loss_weight = _factor(loss_weight)
        self._metrics = list(_flat(metrics))
        self._weighted = list(_flat(weighted_metrics))
        if loss is not None and not _is_crossentropy(loss):
            self._loss = losses.get(loss)
        self.metrics_before_data()  # only to refuse unknown names now

    @property
    def reads_labels(self) -> bool:
        """Whether labels are needed."""
        return self.has_loss or bool(self._metrics) or bool(self._weighted)

    @property
    def has_loss(self) -> bool:
        """Whether there is a loss."""
        return self._loss is not None

    def loss_of(self, y_true_shape: Shape, y_pred_shape: Shape) -> Loss:
        """Return the loss for labels and predictions of such shapes."""
        if not _is_crossentropy(self._loss):
            assert isinstance(self._loss, Loss)
            return self._loss
        if y_pred_shape[-1] == 1:
            return losses.BinaryCrossentropy()
        if len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1:
            return losses.SparseCategoricalCrossentropy()
        return losses.CategoricalCrossentropy()

    def metrics_of(
        self, y_true_shape: Shape, y_pred_shape: Shape
    ) -> tuple[list[Metric], list[Metric]]:
        """Return the metrics for labels and predictions of such shapes, and the weighted ones."""
        plain, weighted = (
            [metrics.resolve(each, y_true_shape, y_pred_shape) for each in identifiers]
            for identifiers in (self._metrics, self._weighted)
        )
        return plain, weighted

    def metrics_before_data(self) -> tuple[list[Metric], list[Metric]]:
        """Return what `metrics_of` returns for one output, without using up names."""
        with names_not_counted():
            return self.metrics_of((None, 1), (None, 1))

    def metric_identifiers(self) -> list[Any]:
        """Return what `compile` was given as metrics."""
        return list(self._metrics)

    def weighted_identifiers(self) -> list[Any]:
        """Return what `compile` was given as weighted metrics."""
        return list(self._weighted)

    def check(self, labels: np.ndarray, y_pred_shape: Shape) -> None:
        """Refuse labels that the loss or the metrics cannot take.

        Raises:
            TypeError, ValueError: If they cannot.
        """
        if self.has_loss:
            self.loss_of(labels.shape, y_pred_shape).check(labels, y_pred_shape)

    def check_metrics(self, labels: np.ndarray, y_pred_shape: Shape) -> None:
        """Refuse labels that a metric cannot take. The metrics are reset.

        Raises:
            ValueError: If one cannot.
        """
        one = np.ascontiguousarray(labels[:1], dtype=np.float32)
        prediction = np.zeros((1, *(1 if n is None else n for n in y_pred_shape[1:])), np.float32)
        with names_not_counted():
            made = self.metrics_of(labels.shape, y_pred_shape)
        for found in made:
            for metric in found:
                metric.update_state(one, prediction)
                metric.reset_state()


def _flat(identifiers: Any) -> Iterator[Any]:
    """Yield the metrics of lists and dicts in each other; a dict with `class_name` is a config."""
    if isinstance(identifiers, Mapping) and "class_name" not in identifiers:
        identifiers = [identifiers[name] for name in sorted(identifiers)]
    if isinstance(identifiers, (list, tuple)):
        for each in identifiers:
            yield from _flat(each)
    elif identifiers is not None:
        yield identifiers


def _factor(loss_weight: Any) -> float:
    if loss_weight is None:
        return 1.0
    if isinstance(loss_weight, bool) or not isinstance(loss_weight, (Real, np.number)):
        raise ValueError(f"`loss_weights` must be a number. Received: loss_weights={loss_weight!r}")
    return float(loss_weight)


def _is_crossentropy(loss: Any) -> bool:
    return isinstance(loss, str) and loss.lower() in ("crossentropy", "ce")
