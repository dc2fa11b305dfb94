"""A model that knows how it is trained: `compile`, and the metrics of the last run."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastrnn import optimizers
from fastrnn.graph import GraphLayer, Plan
from fastrnn.graph.rules import pass_padding
from fastrnn.layers.layer import Layer, Shape
from fastrnn.metrics import Mean, Metric
from fastrnn.trainers.arguments import suggests_arguments
from fastrnn.trainers.data import Batch
from fastrnn.trainers.loss_and_metrics import LossAndMetrics, unique_names
from fastrnn.trainers.train_step import TrainStep


class CompiledModel(GraphLayer):
    """Base of models: their loss, metrics and optimizer, and the step made of them.

    Attributes:
        compiled: Whether `compile` has been called.
        optimizer: What updates the weights.
        loss: What `compile` was given.
        stop_training: Set it, in a callback, to end `fit` after the batch.
        stop_evaluating: Likewise `evaluate`.
        stop_predicting: Likewise `predict`.
    """

    compiled = False
    stop_training = False
    stop_evaluating = False
    stop_predicting = False
    optimizer: optimizers.Optimizer
    loss: Any = None
    _loss_and_metrics: LossAndMetrics | None = None
    _train_step: TrainStep | None = None  # that of the last run
    _train_step_key: tuple[Any, ...] = ()  # what it was made of

    @property
    def layers(self) -> list[Layer]:
        """The layers, first to last, without the InputLayer."""
        raise NotImplementedError(f"{type(self).__name__} must implement `layers`.")

    @property
    def fixed_batch_size(self) -> int | None:
        """The batch size that the model's Input states, or None."""
        return None

    @suggests_arguments
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Configure the training.

        Args:
            optimizer: Name or object of `fastrnn.optimizers`.
            loss: Name or object of `fastrnn.losses`; "crossentropy" for the crossentropy that
                suits labels and output.
            loss_weights: Factor of the loss, or a list or dict with it.
            metrics: Names or objects of `fastrnn.metrics`, or functions of labels and
                predictions, in a list. Sample weights do not reach them.
            weighted_metrics: Likewise; sample weights and class weights reach these.
            run_eagerly: Accepted for Keras's sake; without effect.
            steps_per_execution: Accepted for Keras's sake; without effect.
            jit_compile: Accepted for Keras's sake; without effect.
            auto_scale_loss: Accepted for Keras's sake; without effect.

        Raises:
            ValueError: If one of them is not known; the model then stays as it was.

        Example:
            >>> from fastrnn import layers, models
            >>> model = models.Sequential([layers.LSTM(4), layers.Dense(1, activation="sigmoid")])
            >>> model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
            >>> model.metrics_names
            ['loss', 'accuracy']
        """
        new_optimizer = optimizers.get(optimizer)
        self._loss_and_metrics = LossAndMetrics(loss, loss_weights, metrics, weighted_metrics)
        self.optimizer = new_optimizer
        self.loss = loss
        self._train_step = None
        self.compiled = True

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss, then the metrics of `compile`; empty before it."""
        if self._loss_and_metrics is None:
            return []
        if (step := self._train_step) is not None:
            return [step.mean_loss(), *step.metrics]
        plain, weighted = self._loss_and_metrics.metrics_of((None, 1), (None, 1))
        return [Mean(name="loss"), *plain, *weighted]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order."""
        if self._loss_and_metrics is None:
            return []
        if self._train_step is not None:
            return ["loss", *self._train_step.names]
        return ["loss", *unique_names(*self._loss_and_metrics.metrics_of((None, 1), (None, 1)))]

    def get_metrics_result(self) -> dict[str, Any]:
        """Return loss and metrics of the last run by name, as means over its samples."""
        if self._train_step is not None:
            return self._train_step.results()
        pairs = zip(self.metrics_names, self.metrics, strict=True)
        return {name: metric.result() for name, metric in pairs}

    def reset_metrics(self) -> None:
        """Reset the means of loss and metrics."""
        if self._train_step is not None:
            self._train_step.reset()

    # ------------------------------------------------------------------------------------ steps

    def check_labels(self, labels: np.ndarray, y_pred_shape: Shape) -> None:
        """Refuse labels that the loss or a metric cannot take.

        Args:
            labels: The labels.
            y_pred_shape: Shape of the predictions; the first size may be None.

        Raises:
            TypeError, ValueError: If one cannot.
        """
        assert self._loss_and_metrics is not None
        self._loss_and_metrics.check(labels, y_pred_shape)
        # Not in the midst of a run, which would lose what its metrics have gathered.
        if self._train_step is None or self._train_step_key[0] != _kind(labels.shape, y_pred_shape):
            self._loss_and_metrics.check_metrics(labels, y_pred_shape)

    def train_step_for(self, batch: Batch) -> TrainStep:
        """Return the step for such a batch: that of the last run if nothing has changed.

        Args:
            batch: The first batch of the run.
        """
        assert self._loss_and_metrics is not None
        assert batch.y is not None
        self.build((None, *batch.x.shape[1:]))
        trained = self.trainable_weights
        shapes = batch.y.shape, self.compute_output_shape(batch.x.shape)
        graph = self.inner_graph
        ends = _ends(self._executor.plan)
        key = (_kind(*shapes), graph.opened(), ends, trained, self.optimizer)
        if self._train_step is None or self._train_step_key != key:
            plan = Plan(graph)
            pass_padding(plan)
            self._train_step = TrainStep(
                plan,
                self._loss_and_metrics.loss_of(*shapes),
                *self._loss_and_metrics.metrics_of(*shapes),
                self.optimizer,
                trained,
                self._loss_and_metrics.loss_weight,
            )
            self._train_step_key = key
        return self._train_step


def _ends(plan: Plan) -> list[str | None]:
    """Return the activations of the layers that make the outputs."""
    makers = [plan.maker(slot) for slot in plan.outputs]
    return [None if step is None else step.layer.output_activation for step in makers]


def _kind(y_true_shape: Shape, y_pred_shape: Shape) -> tuple[Any, ...]:
    """Return what metrics and losses may depend on."""
    return (
        len(y_true_shape),
        y_true_shape[1:][-1:],
        len(y_pred_shape),
        y_pred_shape[-1],
    )
