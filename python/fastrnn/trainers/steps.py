"""One step of training or testing, on batches that were checked before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastrnn import activations
from fastrnn.layers.layer import Layer
from fastrnn.losses import Loss
from fastrnn.metrics import Metric
from fastrnn.optimizers import Optimizer
from fastrnn.trainers.chain import Chain


class Steps:
    """A model, its loss, metrics and optimizer, ready to run batch after batch.

    If the model ends in the very activation that the loss can see through (a sigmoid below
    binary crossentropy, a softmax below categorical crossentropy), the loss is computed from the
    scores before it, as Keras does: it is exact where probabilities have rounded to 0 or 1.

    Args:
        layers: The model's built layers.
        loss: The loss.
        metrics: The metrics, in the order of `compile`.
        optimizer: What `train` updates the weights with.
        trainable: False if the model is frozen as a whole.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        loss: Loss,
        metrics: Sequence[Metric],
        optimizer: Optimizer,
        trainable: bool = True,
    ) -> None:
        *others, last = layers
        activation = last.output_activation
        self._from_logits = activation is not None and activation == loss.fused_activation
        self._activation = activations.get(activation if self._from_logits else None)
        if self._from_logits:
            last = last.without_activation()
        self._chain = Chain([*others, last], trainable)
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
        y_pred, caches = self._chain.forward(x)
        loss, d_y = self._loss.value_and_gradient(y, y_pred, from_logits=self._from_logits)
        _, gradients = self._chain.backward(caches, d_y)
        self._optimizer.apply(gradients, self._chain.variables)
        self._gather(loss, y, y_pred)

    def test(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take a batch into the means without changing the model."""
        y_pred = self._chain.infer(x)
        self._gather(self._loss(y, y_pred, from_logits=self._from_logits), y, y_pred)

    def results(self) -> dict[str, float]:
        """Return the mean loss and the metrics since the last `reset`, in that order."""
        results = {"loss": self._loss_sum / self._samples if self._samples else 0.0}
        return results | {metric.name: float(metric.result()) for metric in self._metrics}

    def _gather(self, loss: float, y: np.ndarray, y_pred: np.ndarray) -> None:
        # The last batch of an epoch may be smaller, so that each counts by its samples.
        self._loss_sum += float(loss) * len(y)
        self._samples += len(y)
        if self._metrics:
            if self._from_logits:
                y_pred = self._activation(y_pred)
            for metric in self._metrics:
                metric.update_state(y, y_pred)
