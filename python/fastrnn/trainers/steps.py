"""One step of training or testing, on batches that were checked before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastrnn import activations
from fastrnn.layers.layer import Layer
from fastrnn.losses import Loss
from fastrnn.metrics import MeanMetricWrapper, Metric
from fastrnn.optimizers import Optimizer
from fastrnn.trainers.chain import Chain
from fastrnn.variable import Variable


class Steps:
    """A model, its loss, metrics and optimizer, ready to run batch after batch.

    If the model ends in the very activation that the loss can see through (a sigmoid below
    binary crossentropy, a softmax below categorical crossentropy), the loss is computed from the
    scores before it, as Keras does: it is exact where probabilities have rounded to 0 or 1.

    If the output has a mask, only the entries that it leaves count for the loss and the metrics.

    Args:
        layers: The model's built layers, without others inside.
        loss: The loss.
        metrics: The metrics, in the order of `compile`.
        optimizer: What `train` updates the weights with.
        trained: The weights that `train` updates, in the order of the layers.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: Loss,
        metrics: Sequence[Metric],
        optimizer: Optimizer,
        trained: Sequence[Variable],
    ) -> None:
        *others, last = layers
        activation = last.output_activation
        self._from_logits = activation is not None and activation == loss.fused_activation
        self._activation = activations.get(activation if self._from_logits else None)
        if self._from_logits:
            last = last.without_activation()
        self._chain = Chain([*others, last], trained)
        self._loss = loss
        self._metrics = tuple(metrics)
        self._optimizer = optimizer
        self.reset()

    def reset(self) -> None:
        """Start the means of loss and metrics anew."""
        self._loss_sum = 0.0
        self._samples = 0
        for metric in self._metrics:
            metric.reset_state()

    def train(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take one step of the optimizer on a batch."""
        y_pred, mask, caches = self._chain.forward(x)
        loss, d_y = self._loss.value_and_gradient(
            y, y_pred, mask=mask, from_logits=self._from_logits
        )
        gradients = self._chain.backward(caches, d_y)
        self._optimizer.apply(gradients, self._chain.variables)
        self._gather(loss, y, y_pred, mask)

    def test(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take a batch into the means without changing the model."""
        y_pred, mask = self._chain.infer(x)
        loss = self._loss(y, y_pred, mask=mask, from_logits=self._from_logits)
        self._gather(loss, y, y_pred, mask)

    def results(self) -> dict[str, float]:
        """Return the mean loss and the metrics since the last `reset`, in that order."""
        results = {"loss": self._loss_sum / self._samples if self._samples else 0.0}
        return results | {metric.name: float(metric.result()) for metric in self._metrics}

    def _gather(
        self, loss: float, y: np.ndarray, y_pred: np.ndarray, mask: np.ndarray | None
    ) -> None:
        # The last batch of an epoch may be smaller, so that each counts by its samples.
        self._loss_sum += float(loss) * len(y)
        self._samples += len(y)
        if self._metrics:
            if self._from_logits:
                y_pred = self._activation(y_pred)
            for metric in self._metrics:
                if mask is None or not isinstance(metric, MeanMetricWrapper):
                    metric.update_state(y, y_pred)
                else:
                    metric.update_state(y, y_pred, mask)
