"""One step of training or testing, on batches that were checked before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn import activations
from fastrnn.graph import Executor, Plan
from fastrnn.graph.rules import score
from fastrnn.losses import Loss
from fastrnn.metrics import Mean, MeanMetricWrapper, Metric
from fastrnn.optimizers import Optimizer
from fastrnn.trainers.data import Batch
from fastrnn.trainers.loss_and_metrics import unique_names
from fastrnn.variable import Variable


class TrainStep:
    """A model, its loss, metrics and optimizer, ready to run batch after batch.

    If the model ends in the very activation that the loss can see through (a sigmoid below
    binary crossentropy, a softmax below categorical crossentropy), the loss is computed from the
    scores before it, as Keras does: it is exact where probabilities have rounded to 0 or 1.

    The loss is that of `compile` times its weight, plus what the regularizers of the trained
    weights and of the layers' outputs add, in training and in testing. If the output has a mask,
    only the entries that it leaves count for the loss and the metrics.

    Args:
        plan: The steps of the model.
        loss: The loss.
        metrics: The metrics, in the order of `compile`, which sample weights do not reach.
        weighted_metrics: Those that they reach.
        optimizer: What `train` updates the weights with.
        trained: The weights that `train` updates, in the order of the layers.
        loss_weight: Factor of the loss.
    """

    def __init__(
        self,
        plan: Plan,
        loss: Loss,
        metrics: Sequence[Metric],
        weighted_metrics: Sequence[Metric],
        optimizer: Optimizer,
        trained: Sequence[Variable],
        loss_weight: float = 1.0,
    ) -> None:
        self._from_logits = score(plan, 0, loss.fused_activation)
        self._activation = activations.get(loss.fused_activation if self._from_logits else None)
        self._executor = Executor(plan, trained)
        self._regularized = [
            (index, variable)
            for index, variable in enumerate(self._executor.variables)
            if variable.regularizer is not None
        ]
        self._loss = loss
        self._loss_weight = loss_weight
        self.metrics = (*metrics, *weighted_metrics)
        self.names = unique_names(metrics, weighted_metrics)
        # Each metric, and whether the mask and the sample weights reach it.
        self._updates = [(each, isinstance(each, MeanMetricWrapper), False) for each in metrics]
        for each in weighted_metrics:
            self._updates.append((each, isinstance(each, MeanMetricWrapper), True))
        self._optimizer = optimizer
        self.reset()

    def reset(self) -> None:
        """Reset the means of loss and metrics."""
        self._loss_sum = 0.0
        self._samples = 0
        for metric in self.metrics:
            metric.reset_state()

    def train(self, batch: Batch) -> None:
        """Take one step of the optimizer on a batch."""
        x, y, sample_weight, mask = batch
        assert y is not None
        (y_pred,), (mask,), caches, penalty = self._executor.forward([x], [mask])
        loss, d_y = self._loss.value_and_gradient(
            y, y_pred, sample_weight, mask=mask, from_logits=self._from_logits
        )
        if self._loss_weight != 1.0:
            loss *= self._loss_weight
            d_y *= np.float32(self._loss_weight)
        _, gradients = self._executor.backward(caches, [d_y])
        if self._regularized:
            penalty += self._weight_penalty()
            for index, variable in self._regularized:
                gradients[index] = gradients[index] + variable.regularizer.gradient(variable.value)
        gradients = [self._optimizer.scale_loss(gradient) for gradient in gradients]
        self._optimizer.apply(gradients, self._executor.variables)
        self._gather(loss + penalty, y, y_pred, sample_weight, mask)

    def test(self, batch: Batch) -> None:
        """Take a batch into the means without changing the model."""
        x, y, sample_weight, mask = batch
        assert y is not None
        (y_pred,), (mask,), _, penalty = self._executor.infer([x], [mask])
        loss = self._loss(y, y_pred, sample_weight, mask=mask, from_logits=self._from_logits)
        penalty += self._weight_penalty()
        self._gather(loss * self._loss_weight + penalty, y, y_pred, sample_weight, mask)

    def results(self) -> dict[str, Any]:
        """Return the mean loss and the metrics since the last `reset`, in that order."""
        results: dict[str, Any] = {"loss": self._loss_sum / self._samples if self._samples else 0.0}
        for name, metric in zip(self.names, self.metrics, strict=True):
            value = metric.result()  # some metrics give a number per class
            results[name] = float(value) if np.ndim(value) == 0 else value
        return results

    def get_state(self) -> dict[str, Any]:
        """Return what loss and metrics have gathered since the last `reset`."""
        return {
            "loss": (self._loss_sum, self._samples),
            "metrics": [metric.get_state() for metric in self.metrics],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned."""
        self._loss_sum, self._samples = state["loss"]
        for metric, own in zip(self.metrics, state["metrics"], strict=True):
            metric.set_state(own)

    def mean_loss(self) -> Mean:
        """Return the mean of the loss since the last `reset` as a metric."""
        mean = Mean(name="loss")
        mean.total, mean.count = self._loss_sum, float(self._samples)
        return mean

    def _weight_penalty(self) -> float:
        return sum(float(variable.regularizer(variable.value)) for _, variable in self._regularized)

    def _gather(
        self,
        loss: float,
        y: np.ndarray,
        y_pred: np.ndarray,
        sample_weight: np.ndarray | None,
        mask: np.ndarray | None,
    ) -> None:
        # The last batch of an epoch may be smaller, so that each counts by its samples.
        self._loss_sum += float(loss) * len(y)
        self._samples += len(y)
        if not self._updates:
            return
        if self._from_logits:
            y_pred = self._activation(y_pred)
        for metric, masked, weighted in self._updates:
            weight = sample_weight if weighted else None
            if masked and mask is not None:
                weight = mask if weight is None else weight * mask
            metric.update_state(y, y_pred, weight)
