"""The methods of a model that a user may override: steps, loss and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import parallel
from fastrnn.layers.gradients import value_and_gradients
from fastrnn.metrics import Metric
from fastrnn.results import with_numpy
from fastrnn.symbolic import pack
from fastrnn.tracing import plain
from fastrnn.trainers.compiled_model import CompiledModel
from fastrnn.trainers.data import Batch
from fastrnn.trainers.own_step import OwnStep
from fastrnn.trainers.own_terms import OwnTerms
from fastrnn.trainers.train_step import plain_result
from fastrnn.utils.data_adapter_utils import unpack_x_y_sample_weight

_STEPS = (
    "compute_loss",
    "compute_metrics",
    "get_metrics_result",
    "metrics",
    "reset_metrics",
    "test_step",
    "train_step",
)


class OwnSteps(CompiledModel):
    """Base of models: what their steps are made of.

    A model whose class overrides none of these methods trains without them, on the kernels alone.
    """

    _own_terms: OwnTerms | None = None

    @property
    def has_own_steps(self) -> bool:
        """Whether the class overrides one of the methods that steps are made of."""
        return _overrides(type(self), _STEPS) or (self._graph is None and not self._may_be_called)

    @property
    def has_own_predict_step(self) -> bool:
        """Whether the class overrides `predict_step`."""
        return _overrides(type(self), ("predict_step",))

    def takes_own_data(self, labelled: bool) -> bool:
        """Return whether data go to steps of a user's; see there.

        Args:
            labelled: Whether they are for training or testing, not for prediction.
        """
        return self.has_own_steps if labelled else self.has_own_predict_step

    def train_step_for(self, batch: Batch) -> Any:
        """Return the step for such a batch; see there.

        Args:
            batch: The first batch of the run.
        """
        if not self.has_own_steps:
            return super().train_step_for(batch)
        if parallel.current() is not None:
            raise ValueError(
                "Steps of your own are not taken by several processes together. "
                f"Received: model '{self.name}' of class {type(self).__name__}"
            )
        assert batch.forms is not None
        x = pack(batch.forms[0], [each[:1] for each in batch.x])
        if self.is_own_call:
            self.connect(x)
        elif not self.is_free and not self.built:
            self.build((None, *batch.x[0].shape[1:]))
        return OwnStep(self)

    @property
    def _may_be_called(self) -> bool:
        """Whether the model can be run as one: it has a graph, a row of layers or a `call`."""
        return self.is_own_call or self._graph is not None or not self.is_free

    # ------------------------------------------------------------------------------------ steps

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on a batch. Override it for a step of your own.

        Args:
            data: x alone, `(x, y)` or `(x, y, sample_weight)`, as they were given to `fit`.

        Returns:
            What callbacks and `History` get: numbers by their names.

        Example:
            >>> import numpy as np, fastrnn
            >>> class Clipped(fastrnn.Sequential):
            ...     def train_step(self, data):
            ...         x, y = data
            ...         def loss():
            ...             return self.compute_loss(y=y, y_pred=self(x, training=True))
            ...         weights = self.trainable_weights
            ...         value, gradients = fastrnn.value_and_gradients(loss, weights)
            ...         gradients = [np.clip(each, -0.1, 0.1) for each in gradients]
            ...         self.optimizer.apply(gradients, weights)
            ...         return {"loss": value}
            >>> model = Clipped([fastrnn.layers.Input((2,)), fastrnn.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> history = model.fit(np.ones((8, 2)), np.zeros((8, 1)), epochs=2, verbose=0)
            >>> len(history.history["loss"])
            2
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred: Any = None

        def loss() -> Any:
            nonlocal y_pred
            y_pred = self(x, training=True)
            return self._loss_of_step(x, y, y_pred, sample_weight, training=True)

        weights = self.trainable_weights
        value, gradients = value_and_gradients(loss, weights)
        self.optimizer.apply(gradients, weights)
        self._terms.loss_tracker.update_state(value, sample_weight=len(_first(x)))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Test on a batch. Override it for a test of your own.

        Args:
            data: As in `train_step`.

        Returns:
            As in `train_step`.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        value = self._loss_of_step(x, y, y_pred, sample_weight, training=False)
        self._terms.loss_tracker.update_state(float(value), sample_weight=len(_first(x)))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the outputs for a batch. Override it for outputs of your own.

        Args:
            data: x alone, as it was given to `predict`.

        Returns:
            Arrays, one row for each sample.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of a batch: that of `compile`, and what layers and regularizers add.

        Args:
            x: The inputs.
            y: The labels.
            y_pred: The predictions.
            sample_weight: Weights of the samples, or None.
            training: Whether it is that of training.

        Returns:
            A scalar, traced if the predictions are.

        Raises:
            ValueError: If there is no loss.
        """
        loss = self._terms.loss(y, y_pred, sample_weight) if self._terms.has_loss else None
        for added in self.losses:
            loss = added if loss is None else loss + added
        if loss is None:
            raise ValueError(
                "There is no loss: give `compile` one, or call `add_loss` in `call`. "
                f"Received: model '{self.name}' without any"
            )
        return loss

    def _loss_of_step(self, x: Any, y: Any, y_pred: Any, weight: Any, training: bool) -> Any:
        """Call `compute_loss`, which may be of an older form without `training`."""
        code = getattr(type(self).compute_loss, "__code__", None)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        rest = code is not None and bool(code.co_flags & 0x08)  # it takes **kwargs
        options = {"training": training} if "training" in names or rest else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight, **options)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Add a batch to the metrics of `compile`.

        Args:
            x: The inputs.
            y: The labels.
            y_pred: The predictions.
            sample_weight: Weights of the samples, or None.

        Returns:
            The results of all metrics by their names.
        """
        self._terms.update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return loss and metrics of the last run by name, as means over its samples."""
        if not self.has_own_steps:
            return super().get_metrics_result()
        found: dict[str, Any] = {}
        for metric in self.metrics:
            found[metric.name] = plain_result(metric)
        made: dict[str, Any] = with_numpy(found)
        return made

    def reset_metrics(self) -> None:
        """Reset the means of loss and metrics."""
        if not self.has_own_steps:
            super().reset_metrics()
            return
        for metric in self.metrics:
            metric.reset_state()

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss, the metrics of `compile`, and those of classes of your own."""
        if not self.has_own_steps or self._loss_and_metrics is None:
            return super().metrics
        return [self._terms.loss_tracker, *self._terms.metrics, *self._metrics_of_users()]

    @property
    def _terms(self) -> OwnTerms:
        """Loss and metrics of `compile`, for steps that a user wrote."""
        if self._loss_and_metrics is None:
            raise ValueError("Call `compile` before a step.")
        if self._own_terms is None:
            self._own_terms = OwnTerms(self._loss_and_metrics)
        return self._own_terms

    def _outputs_changed(self) -> None:
        super()._outputs_changed()
        self._own_terms = None


def _first(x: Any) -> np.ndarray:
    while not hasattr(x, "shape"):
        x = next(iter(x.values())) if hasattr(x, "values") else x[0]
    array: np.ndarray = plain(x)
    return array


def _overrides(cls: type, names: Sequence[str]) -> bool:
    """Return whether a class of a user, among those below OwnSteps, has one of some attributes."""
    below = cls.__mro__[: cls.__mro__.index(OwnSteps)]
    return any(
        name in vars(each)
        for each in below
        if each.__module__.partition(".")[0] != "fastrnn"
        for name in names
    )
