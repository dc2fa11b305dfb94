"""One step of training or testing, on batches that were checked before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn import activations
from fastrnn.graph import Executor, Plan
from fastrnn.graph.rules import score
from fastrnn.metrics import Mean, Metric
from fastrnn.optimizers import Optimizer
from fastrnn.trainers.data import Batch
from fastrnn.trainers.loss_and_metrics import unique_names
from fastrnn.trainers.output_part import OutputPart
from fastrnn.variable import Variable

Means = tuple[float, float | None] | None
"""Of an output the loss and the mean of the metric that goes with it; None without a loss."""


class TrainStep:
    """A model, its losses, metrics and optimizer, ready to run batch after batch.

    If an output ends in the very activation that its loss can see through (a sigmoid below
    binary crossentropy, a softmax below categorical crossentropy), the loss is computed from the
    scores before it, as Keras does: it is exact where probabilities have rounded to 0 or 1.

    The loss is the sum of those of the outputs, each times its weight, plus what the regularizers
    of the trained weights and of the layers' outputs add, in training and in testing. If an output
    has a mask, only the entries that it leaves count for its loss and its metrics. Where each step
    of a list's sequences has an output, the mean loss is that over all steps of all batches.

    Args:
        plan: The steps of the model.
        parts: What to do with each of its outputs.
        optimizer: What `train` updates the weights with.
        trained: The weights that `train` updates, in the order of the layers.

    Attributes:
        metrics: The metrics of `compile`.
        names: Their names in logs.
        own_metrics: The metrics that are attributes of layers and models, which update them.
    """

    def __init__(
        self,
        plan: Plan,
        parts: Sequence[OutputPart],
        optimizer: Optimizer,
        trained: Sequence[Variable],
    ) -> None:
        self._parts = list(parts)
        self._trained = list(trained)  # also those that no loss depends on, as in Keras
        with_loss = []
        for number, part in enumerate(self._parts):
            if part.loss is not None:
                with_loss.append(number)
                if score(plan, number, part.loss.fused_activation):
                    part.activation = activations.get(part.loss.fused_activation)
                part.prepare()
        self._executor = Executor(plan, trained, with_gradient=with_loss, pads=True)
        self._regularized = [
            (index, variable)
            for index, variable in enumerate(self._executor.variables)
            if variable.regularizer is not None
        ]
        # Penalties of weights that no output depends on have no gradient that counts.
        self._penalized = [variable for variable in trained if variable.regularizer is not None]
        plain = [(part.name, metric) for part in self._parts for metric in part.metrics]
        weighted = [(part.name, each) for part in self._parts for each in part.weighted_metrics]
        self.metrics = tuple(metric for _, metric in (*plain, *weighted))
        self.names = unique_names(plain, weighted)
        self._loss_weights = [self._parts[number].loss_weight for number in with_loss]
        several = len(with_loss) > 1
        self._loss_names = [f"{self._parts[each].name}_loss" for each in with_loss if several]
        self._optimizer = optimizer
        self.own_metrics: tuple[Metric, ...] = ()
        self.reset()

    def reset(self) -> None:
        """Reset the means of loss and metrics."""
        self._loss_sum = 0.0
        self._part_sums = [0.0] * len(self._loss_names)
        self._samples = 0
        for metric in (*self.metrics, *self.own_metrics):
            metric.reset_state()

    def train(self, batch: Batch) -> None:
        """Take one step of the optimizer on a batch."""
        outputs, masks, caches, penalty = self._executor.forward(batch.x, batch.mask)
        means, d_outputs = self._losses(batch, outputs, masks)
        _, gradients = self._executor.backward(caches, d_outputs, consume=True)
        penalty += self._update(gradients)
        self._gather(means, penalty, batch, outputs, masks)

    def _losses(
        self,
        batch: Batch,
        outputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
    ) -> tuple[list[Means], list[np.ndarray | None]]:
        """Return for each output what `OutputPart.evaluate` returns, and its gradient apart."""
        means: list[Means] = []
        d_outputs: list[np.ndarray | None] = []
        for part, y, y_pred, weight, mask in self._by_output(batch, outputs, masks):
            if part.loss is None:
                means.append(None)
                d_outputs.append(None)
                continue
            loss, metric, d_y = part.evaluate(y, y_pred, weight, mask, gradient=True)
            means.append((loss, metric))
            if part.loss_weight != 1.0:
                d_y = d_y * np.float32(part.loss_weight)
            d_outputs.append(d_y)
        return means, d_outputs

    def _update(self, gradients: list[np.ndarray]) -> float:
        """Update the weights; return what their regularizers add to the loss before."""
        penalty = 0.0
        if self._penalized:
            penalty = self._weight_penalty()
            for index, variable in self._regularized:
                gradients[index] = gradients[index] + variable.regularizer.gradient(variable.value)
        if self._optimizer.loss_scale_factor is not None:
            gradients = [self._optimizer.scale_loss(gradient) for gradient in gradients]
        if not self._optimizer.built:
            self._optimizer.build(self._trained)
        self._optimizer.apply(gradients, self._executor.variables)
        return penalty

    def test(self, batch: Batch) -> None:
        """Take a batch into the means without changing the model."""
        outputs, masks, _, penalty = self._executor.infer(batch.x, batch.mask)
        means = self._means(batch, outputs, masks)
        self._gather(means, penalty + self._weight_penalty(), batch, outputs, masks)

    def _means(
        self,
        batch: Batch,
        outputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
    ) -> list[Means]:
        """Return for each output what `OutputPart.evaluate` returns without the gradient."""
        return [
            None
            if part.loss is None
            else part.evaluate(y, y_pred, weight, mask, gradient=False)[:2]
            for part, y, y_pred, weight, mask in self._by_output(batch, outputs, masks)
        ]

    def _by_output(
        self,
        batch: Batch,
        outputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
    ) -> Iterator[tuple[OutputPart, Any, np.ndarray, Any, np.ndarray | None]]:
        """Return for each output its part, labels, predictions, sample weights and mask."""
        assert batch.y is not None
        weights = batch.sample_weight or (None,) * len(outputs)
        return zip(self._parts, batch.y, outputs, weights, masks, strict=True)

    def end_epoch(self) -> None:
        """Called after the last batch of an epoch where several processes train together."""

    def results(self) -> dict[str, Any]:
        """Return the means since the last `reset`: the loss, those of outputs, the metrics."""
        samples = self._samples or 1
        results: dict[str, Any] = {"loss": self._loss_sum / samples}
        for name, total in zip(self._loss_names, self._part_sums, strict=True):
            results[name] = total / samples
        found = {}
        for name, metric in zip(self.names, self.metrics, strict=True):
            found[name] = plain_result(metric)
        if len(self._parts) > 1:  # as in Keras
            found = dict(sorted(found.items()))
        return results | found | {each.name: plain_result(each) for each in self.own_metrics}

    def get_state(self) -> dict[str, Any]:
        """Return what loss and metrics have gathered since the last `reset`."""
        return {
            "loss": (self._loss_sum, self._samples),
            "losses": list(self._part_sums),
            "metrics": [metric.get_state() for metric in (*self.metrics, *self.own_metrics)],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Bring back what `get_state` returned."""
        self._loss_sum, self._samples = state["loss"]
        self._part_sums = list(state["losses"])
        metrics = (*self.metrics, *self.own_metrics)
        for metric, own in zip(metrics, state["metrics"], strict=True):
            metric.set_state(own)

    def mean_losses(self) -> list[Mean]:
        """Return the means of the loss, and of those of several outputs, as metrics."""
        means = []
        names, sums = ["loss", *self._loss_names], [self._loss_sum, *self._part_sums]
        for name, total in zip(names, sums, strict=True):
            mean = Mean(name=name)
            mean.total, mean.count = total, float(self._samples)
            means.append(mean)
        return means

    def _weight_penalty(self) -> float:
        return sum(float(variable.regularizer(variable.value)) for variable in self._penalized)

    def _steps_counted(self, batch: Batch, mask: np.ndarray) -> int:
        """Return how many steps of a list's sequences count for the loss, each the same."""
        loss = self._parts[0].loss
        assert batch.y is not None
        counted = None if loss is None else loss.counted(np.asarray(batch.y[0]))
        if counted is not None:
            mask = mask & counted.reshape(mask.shape)
        return int(np.count_nonzero(mask))

    def _gather(
        self,
        means: Sequence[Means],
        penalty: float,
        batch: Batch,
        outputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
    ) -> None:
        """Add a batch to the means of loss and metrics.

        Args:
            means: For each output what `OutputPart.evaluate` returned, without the gradient.
            penalty: What the regularizers add to the loss.
            batch: The batch.
            outputs: The outputs.
            masks: Their masks.
        """
        # The last batch of an epoch may be smaller, so that each counts by its samples.
        samples = len(batch.x[0])
        if batch.mask is not None and masks[0] is not None:
            samples = self._steps_counted(batch, masks[0])
        self._samples += samples
        with_loss = list(filter(None, means))
        total = penalty
        for factor, (loss, _) in zip(self._loss_weights, with_loss, strict=True):
            total += factor * loss
        self._update_metrics(means, batch, outputs, masks)
        self._loss_sum += float(total) * samples
        for number in range(len(self._part_sums)):  # without their weights, as in Keras
            self._part_sums[number] += float(with_loss[number][0]) * samples

    def _update_metrics(
        self,
        means: Sequence[Means],
        batch: Batch,
        outputs: Sequence[np.ndarray],
        masks: Sequence[np.ndarray | None],
    ) -> None:
        for (part, y, y_pred, weight, mask), own in zip(
            self._by_output(batch, outputs, masks), means, strict=True
        ):
            if not part.updates:
                continue
            if batch.mask is not None and mask is not None:
                y, y_pred, weight = without_padding(y, y_pred, weight, mask)
                mask = None
            part.update_metrics(y, y_pred, weight, mask, own)


def without_padding(
    y: Any, y_pred: np.ndarray, weight: Any, mask: np.ndarray
) -> tuple[Any, np.ndarray, Any]:
    """Return labels, output and sample weights of a list's own steps.

    Of a list no metric sees padding, also none that takes no mask in Keras.
    """
    if weight is not None:
        weight = np.broadcast_to(weight, mask.shape)[mask]
    return y[mask], y_pred[mask], weight


def plain_result(metric: Metric) -> Any:
    """Return the result of a metric as a number; some metrics give an array, a number per class.

    Args:
        metric: The metric.
    """
    value = metric.result()
    return float(value) if np.ndim(value) == 0 else np.asarray(value)
