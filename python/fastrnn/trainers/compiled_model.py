"""A model that knows how it is trained: `compile`, and the metrics of the last run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fastrnn import optimizers, parallel
from fastrnn.graph import GraphLayer, Plan
from fastrnn.graph.own_call import output_shapes
from fastrnn.graph.rules import check_padding, check_padding_of
from fastrnn.layers.layer import Layer, Shape
from fastrnn.metrics import Mean, Metric
from fastrnn.results import with_numpy
from fastrnn.symbolic import map_shapes
from fastrnn.trainers.arguments import suggests_arguments
from fastrnn.trainers.data import Batch
from fastrnn.trainers.data.ragged import is_ragged
from fastrnn.trainers.distributed_step import DistributedStep
from fastrnn.trainers.loss_and_metrics import LossAndMetrics, unique_names
from fastrnn.trainers.output_part import OutputPart
from fastrnn.trainers.output_terms import OutputTerms
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
        names, aliases = self._names_in_logs()
        awaited = self.is_own_call and self._graph is None  # the first data tell the outputs
        self._loss_and_metrics = LossAndMetrics(
            loss, loss_weights, metrics, weighted_metrics, names, aliases, awaited
        )
        self.optimizer = new_optimizer
        self.loss = loss
        self._train_step = None
        self.compiled = True

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss, the metrics of `compile`, and those of classes of your own."""
        own = self._metrics_of_users()
        if self._loss_and_metrics is None:
            return own
        if (step := self._train_step) is not None:
            return [*step.mean_losses(), *step.metrics, *own]
        return [Mean(name="loss"), *[metric for _, metric in self._metrics_before_data()], *own]

    def _metrics_of_users(self) -> list[Metric]:
        """Return the metrics that are attributes of this model, or of layers of users inside."""
        found = self._own_metrics()
        for layer in self._sublayers():
            if not isinstance(layer, CompiledModel):
                found += [metric for each in all_layers(layer) for metric in each._own_metrics()]
        return list(dict.fromkeys(found))

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order."""
        if self._loss_and_metrics is None:
            return []
        if self._train_step is not None:
            return list(self._train_step.results())
        terms = self._loss_and_metrics.terms
        names = [f"{term.name}_loss" for term in terms if term.has_loss]
        plain, weighted = (
            [(term.name, metric) for term in terms for metric in term.metrics_before_data()[which]]
            for which in (0, 1)
        )
        found = unique_names(plain, weighted)
        if len(terms) == 1:
            return ["loss", *found]
        return ["loss", *(names if len(names) > 1 else []), *sorted(found)]

    def _metrics_before_data(self) -> list[tuple[str | None, Metric]]:
        """Return the metrics as they are before labels are known, after the outputs' names."""
        assert self._loss_and_metrics is not None
        return [
            (term.name, metric)
            for which in (0, 1)
            for term in self._loss_and_metrics.terms
            for metric in term.metrics_before_data()[which]
        ]

    def get_metrics_result(self) -> dict[str, Any]:
        """Return loss and metrics of the last run by name, as means over its samples."""
        if self._train_step is not None:
            found: dict[str, Any] = with_numpy(self._train_step.results())
            return found
        pairs = zip(self.metrics_names, self.metrics, strict=True)
        return {name: metric.result() for name, metric in pairs}

    def reset_metrics(self) -> None:
        """Reset the means of loss and metrics."""
        if self._train_step is not None:
            self._train_step.reset()

    # ------------------------------------------------------------------------------------ steps

    def _outputs_changed(self) -> None:
        if self._loss_and_metrics is not None:
            names, aliases = self._names_in_logs()
            given = self._loss_and_metrics.arguments
            self._loss_and_metrics = LossAndMetrics(**given, names=names, aliases=aliases)
        self._train_step = None

    def _names_in_logs(self) -> tuple[list[str] | None, list[str] | None]:
        """Return what logs call the outputs, and their layers; None where they are not known."""
        if self._graph is None:
            return None, None
        structure = self._graph.output_structure
        layers = _each_own(self.output_names)
        keys = _each_own(_paths(structure)) if isinstance(structure, Mapping) else layers
        return keys, layers

    def by_output(self, argument: str, value: Any, samples: int) -> list[Any]:
        """Return what is given for each output, in their order.

        Args:
            argument: Name of the argument: `y` or `sample_weight`.
            value: An array for the only output, or for all of them if it is `sample_weight`; a
                list or tuple of one for each; or a dict by names.
            samples: Number of samples of x.

        Raises:
            ValueError: If it is not one for each output that has a loss or metrics.
        """
        assert self._loss_and_metrics is not None
        terms = self._loss_and_metrics.terms
        if isinstance(value, Mapping):
            names, layers = self._names_in_logs()
            keys = list(zip(names or [""], layers or [""], strict=True))
            found = [next((value[k] for k in own if k in value), None) for own in keys]
            known = {key for own in keys for key in own}
            missing = [
                own[0]
                for own, each, term in zip(keys, found, terms, strict=True)
                if each is None and term.reads_labels and argument == "y"
            ]
            if missing or set(value) - known:
                raise ValueError(
                    f"`{argument}` must have the keys {[own[0] for own in keys]}, those of the "
                    f"outputs of model '{self.name}'. Received: {list(value)}"
                )
            return found
        if len(terms) == 1:
            listed = isinstance(value, (list, tuple)) and len(value) == 1 and np.ndim(value[0])
            if listed and (samples > 1 or len(value[0]) == 1):
                return [value[0]]  # a list with a single array is that array
            return [value]
        if value is None or (argument == "sample_weight" and hasattr(value, "__array__")):
            return [value] * len(terms)
        given = list(value) if isinstance(value, (list, tuple)) else []
        read = [number for number, term in enumerate(terms) if term.reads_labels]
        if len(given) == len(read) < len(terms):
            return [given[read.index(n)] if n in read else None for n in range(len(terms))]
        if len(given) != len(terms):
            raise ValueError(
                f"`{argument}` must be a list of {len(terms)} arrays, one for each output of model "
                f"'{self.name}': {self._names_in_logs()[0]}. Received: "
                f"{f'{len(given)} of them' if given else type(value).__name__}"
            )
        return given

    def reads_labels(self, output: int) -> bool:
        """Return whether an output has a loss or metrics.

        Args:
            output: Number of the output.
        """
        assert self._loss_and_metrics is not None
        return self._loss_and_metrics.terms[output].reads_labels

    def output_shapes(self, input_shapes: Sequence[Shape]) -> list[Shape]:
        """Return the shape of each output.

        Args:
            input_shapes: Shape of each input, batch first; None for sizes left open.

        Returns:
            The shapes, batch first.
        """
        found: list[Shape] = []
        if self.is_own_call:
            return output_shapes(self.inner_graph, input_shapes)
        shapes = input_shapes[0] if len(input_shapes) == 1 else list(input_shapes)
        map_shapes(found.append, self.compute_output_shape(shapes))
        return found

    def takes_sequences(self, x: Any) -> bool:
        """Return whether data are sequences of differing lengths, for the only input.

        Args:
            x: What was given as x.
        """
        return not self.takes_list and not self.is_own_call and is_ragged(x)

    def takes_own_data(self, labelled: bool) -> bool:
        """Return whether data go to steps of a user's, which alone know what they must be.

        Args:
            labelled: Whether they are for training or testing, not for prediction.
        """
        return False

    def check_padding(self, input_shape: Shape) -> None:
        """Refuse sequences of differing lengths if a layer would mix in their padding.

        Args:
            input_shape: Shape of the input, batch first, with None for the steps.

        Raises:
            ValueError: If there is such a layer.
        """
        if self.built:
            check_padding(self._executor.plan, input_shape)
            return
        for layer in _opened(self.layers):  # a chain: only a Sequential has no graph before
            (input_shape,) = check_padding_of(layer, input_shape)

    def check_labels(self, labels: np.ndarray, y_pred_shape: Shape, output: int = 0) -> None:
        """Refuse labels that the loss or a metric cannot take.

        Args:
            labels: The labels.
            y_pred_shape: Shape of the predictions; the first size may be None.
            output: Number of the output.

        Raises:
            TypeError, ValueError: If one cannot.
        """
        assert self._loss_and_metrics is not None
        terms = self._loss_and_metrics.terms[output]
        try:
            terms.check(labels, y_pred_shape)
        except (TypeError, ValueError) as error:
            if len(self._loss_and_metrics.terms) == 1:
                raise
            raise type(error)(f"Output '{self.output_names[output]}': {error}") from error
        # Not in the midst of a run, which would lose what its metrics have gathered.
        kind = _kind(labels.shape, y_pred_shape)
        if self._train_step is None or self._train_step_key[0][output] != kind:
            terms.check_metrics(labels, y_pred_shape)

    def train_step_for(self, batch: Batch) -> TrainStep:
        """Return the step for such a batch: that of the last run if nothing has changed.

        Args:
            batch: The first batch of the run.
        """
        assert self._loss_and_metrics is not None
        assert batch.y is not None
        if not self.built:
            self.build((None, *batch.x[0].shape[1:]))
        trained = self.trainable_weights
        output_shapes = self.output_shapes([array.shape for array in batch.x])
        shapes = [
            (None if labels is None else labels.shape, shape)
            for labels, shape in zip(batch.y, output_shapes, strict=True)
        ]
        graph = self.inner_graph
        kinds = [None if labels is None else _kind(labels, shape) for labels, shape in shapes]
        job = parallel.current()
        key = (kinds, graph.opened(), _ends(self._executor.plan), trained, self.optimizer, job)
        if self._train_step is None or self._train_step_key != key:
            parts = [
                _part_of(terms, *own)
                for terms, own in zip(self._loss_and_metrics.terms, shapes, strict=True)
            ]
            made = (Plan(graph), parts, self.optimizer, trained)
            self._train_step = (
                TrainStep(*made)
                if job is None
                else DistributedStep(job, list(all_layers(self)), *made)
            )
            self._train_step.own_metrics = tuple(self._metrics_of_users())
            self._train_step_key = key
        return self._train_step


def all_layers(layer: Layer) -> Iterator[Layer]:
    """Yield a layer or model, and all layers inside."""
    yield layer
    for inside in layer._sublayers():
        yield from all_layers(inside)


def _opened(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yield layers, and in place of models that are not built those inside."""
    for layer in layers:
        if isinstance(layer, CompiledModel):
            yield from _opened(layer.layers)
        else:
            yield layer


_ONES: tuple[Shape, Shape] = (None, 1), (None, 1)


def _part_of(terms: OutputTerms, y_true_shape: Shape | None, y_pred_shape: Shape) -> OutputPart:
    """Return what a step does with an output, for labels and predictions of such shapes."""
    if y_true_shape is None:
        return OutputPart(terms.name, None, 1.0, [], [])
    loss = terms.loss_of(y_true_shape, y_pred_shape) if terms.has_loss else None
    metrics = terms.metrics_of(y_true_shape, y_pred_shape)
    return OutputPart(terms.name, loss, terms.loss_weight, *metrics)


def _each_own(names: Sequence[str]) -> list[str]:
    """Return names with numbers behind those that come again."""
    own: list[str] = []
    for name in names:
        count = sum(each == name or each.startswith(f"{name}_") for each in own)
        own.append(f"{name}_{count}" if name in own else name)
    return own


def _paths(structure: Any) -> list[str]:
    """Return the keys that lead to the leaves of a structure, in the order of `flatten`."""
    if isinstance(structure, Mapping):
        items = [(key, structure[key]) for key in sorted(structure)]
    elif isinstance(structure, (list, tuple)):
        items = [(str(number), each) for number, each in enumerate(structure)]
    else:
        return [""]
    return [f"{key}/{path}" if path else key for key, each in items for path in _paths(each)]


def _ends(plan: Plan) -> list[str | None]:
    """Return the activations of the layers that make the outputs."""
    makers = [plan.maker(slot) for slot in plan.outputs]
    return [None if step is None else step.output_activation for step in makers]


def _kind(y_true_shape: Shape, y_pred_shape: Shape) -> tuple[Any, ...]:
    """Return what metrics and losses may depend on."""
    return (
        len(y_true_shape),
        y_true_shape[1:][-1:],
        len(y_pred_shape),
        y_pred_shape[-1],
    )
