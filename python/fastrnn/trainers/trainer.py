"""Training, testing and prediction: `compile`, `fit`, `evaluate`, `predict` and kin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import losses, metrics, optimizers
from fastrnn.callbacks import Callback, CallbackList, History, progress_for
from fastrnn.layers.arguments import positive_integer, refuse_not_built
from fastrnn.layers.layer import Layer
from fastrnn.random import generator
from fastrnn.trainers.chain import Chain
from fastrnn.trainers.data import as_targets, batches, split_index, unpack_validation_data
from fastrnn.trainers.steps import Steps

_DEFAULT_BATCH_SIZE = 32

# Rows that `predict` hands to the kernels at once, rounded to whole batches. A row's result does
# not depend on the others, but a token that occurs in many of them is projected only once: for an
# LSTM on 4,096 reviews (imdb-200, AVX2, 2 threads) 32 rows at once took 2.6 times as long as 512,
# and those 1.1 times as long as 2,048, which need more memory.
_ROWS_AT_ONCE = 512


class Trainer(Layer):
    """The part of a model that Keras documents as "model training APIs"."""

    compiled = False
    stop_training = False
    optimizer: optimizers.Optimizer
    loss: Any = None
    history: History
    _loss: losses.Loss | None = None
    _metrics: tuple[Any, ...] = ()

    @property
    def layers(self) -> list[Layer]:
        """The layers, first to last, without the InputLayer."""
        raise NotImplementedError(f"{type(self).__name__} must implement `layers`.")

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: Name or object of `fastrnn.optimizers`.
            loss: Name or object of `fastrnn.losses`.
            loss_weights: Not supported yet.
            metrics: List of names or objects of `fastrnn.metrics`.
            weighted_metrics: Not supported yet.
            run_eagerly: Accepted for Keras's sake; without effect.
            steps_per_execution: Accepted for Keras's sake; without effect.
            jit_compile: Accepted for Keras's sake; without effect.
            auto_scale_loss: Accepted for Keras's sake; without effect.

        Raises:
            ValueError: If one of them is not known; the model then stays as it was.

        Example:
            >>> model.compile("adam", "binary_crossentropy", metrics=["accuracy"])  # doctest: +SKIP
        """
        refuse_not_built(
            "compile",
            {"loss_weights": loss_weights, "weighted_metrics": weighted_metrics},
            {"loss_weights": None, "weighted_metrics": None},
        )
        if not isinstance(metrics, (list, tuple, type(None))):
            raise ValueError(f"`metrics` must be a list. Received: metrics={metrics!r}")
        new_optimizer = optimizers.get(optimizer)
        new_loss = None if loss is None else losses.get(loss)
        _resolve(metrics or (), (None, 1), (None, 1))  # only to refuse unknown names now
        self.optimizer = new_optimizer
        self.loss = loss
        self._loss = new_loss
        self._metrics = tuple(metrics or ())
        self.compiled = True

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train.

        Args:
            x: Inputs, `[samples, ...]`.
            y: Labels, as many.
            batch_size: Samples per step, 32 by default.
            epochs: Number of the last epoch; each is one pass over the samples.
            verbose: 0 for silence, 1 or "auto" for a progress bar (lines where the output is no
                terminal), 2 for a line per epoch.
            callbacks: Objects to notify.
            validation_split: Share of the samples, taken from the end before any shuffling, to
                test with after each epoch.
            validation_data: Tuple (x, y) to test with after each epoch, in place of a split.
            shuffle: Whether to draw a new order of the samples for each epoch.
            class_weight: Not supported yet.
            sample_weight: Not supported yet.
            initial_epoch: Number of epochs that lie behind already.
            steps_per_epoch: Not supported yet.
            validation_steps: Not supported yet.
            validation_batch_size: Samples per step of the test; `batch_size` by default.
            validation_freq: Test after every so many epochs.

        Returns:
            The history: loss and metrics of each epoch, as means over its samples.

        Raises:
            TypeError: If x or y does not hold numbers.
            ValueError: If the model is not compiled, or an argument does not fit it or another.
                Model and optimizer then stay as they were.
        """
        self._check_compiled("fit")
        given = {"class_weight": class_weight, "sample_weight": sample_weight}
        given |= {"steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps}
        refuse_not_built("fit", given, dict.fromkeys(given))
        batch_size = _batch_size(batch_size)
        validation_batch_size = _batch_size(validation_batch_size or batch_size)
        validation_freq = positive_integer("validation_freq", validation_freq)
        _check_epochs(epochs=epochs, initial_epoch=initial_epoch)
        x, y = self._as_data(x, y)
        validation: tuple[np.ndarray, np.ndarray] | None = None
        if validation_data is not None:
            validation = self._as_data(*unpack_validation_data(validation_data))
        elif validation_split:
            split = split_index(len(x), validation_split)
            x, y, validation = x[:split], y[:split], (x[split:], y[split:])
        notified = self._notified(callbacks, verbose, epochs, len(x), batch_size)

        steps = self._make_steps(x, y)
        self.history = notified.history
        self.stop_training = False
        notified.notify("on_train_begin", None)
        logs: dict[str, float] = {}
        for epoch in range(initial_epoch, epochs):
            notified.notify("on_epoch_begin", epoch, None)
            steps.reset()
            order = generator().permutation(len(x)) if shuffle else None
            for batch, (x_batch, y_batch) in enumerate(batches(x, y, batch_size, order)):
                notified.notify("on_train_batch_begin", batch, None)
                steps.train(x_batch, y_batch)
                if notified.listens("on_train_batch_end"):
                    notified.notify("on_train_batch_end", batch, _logs(steps))
                if self.stop_training:
                    break
            logs = _logs(steps)
            if validation is not None and (epoch + 1) % validation_freq == 0:
                results = self._test(steps, *validation, validation_batch_size, notified)
                logs |= {f"val_{name}": value for name, value in results.items()}
            notified.notify("on_epoch_end", epoch, logs)
            if self.stop_training:
                break
        notified.notify("on_train_end", logs)
        return self.history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and the metrics on samples, without training.

        Args:
            x: Inputs, `[samples, ...]`.
            y: Labels, as many.
            batch_size: Samples per step, 32 by default.
            verbose: As in `fit`.
            sample_weight: Not supported yet.
            steps: Not supported yet.
            callbacks: Objects to notify.
            return_dict: Whether to return a dict by name.

        Returns:
            The loss if there are no metrics, else a list of the loss and them; or a dict.

        Raises:
            TypeError: If x or y does not hold numbers.
            ValueError: If the model is not compiled, or the arguments do not fit it.
        """
        self._check_compiled("evaluate")
        given = {"sample_weight": sample_weight, "steps": steps}
        refuse_not_built("evaluate", given, dict.fromkeys(given))
        batch_size = _batch_size(batch_size)
        x, y = self._as_data(x, y)
        notified = self._notified(callbacks, verbose, 1, len(x), batch_size)
        made = self._make_steps(x, y)
        self._test(made, x, y, batch_size, notified)
        return _returned(made, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | None = None,
    ) -> np.ndarray:
        """Return the model's output for samples, computed in batches.

        Args:
            x: Inputs, `[samples, ...]`.
            batch_size: Samples per step, 32 by default.
            verbose: As in `fit`.
            steps: Not supported yet.
            callbacks: Objects to notify.

        Returns:
            Float32 array, `[samples, ...]`.

        Raises:
            TypeError: If x does not hold numbers.
            ValueError: If an argument does not fit the model.
        """
        refuse_not_built("predict", {"steps": steps}, {"steps": None})
        batch_size = _batch_size(batch_size)
        x = self.as_input(x, "x")
        if not self.built:
            self.build((None, *x.shape[1:]))
        notified = self._notified(callbacks, verbose, 1, len(x), batch_size)
        chain = Chain(self.leaves())
        outputs = np.empty(self.compute_output_shape(x.shape), np.float32)
        notified.notify("on_predict_begin", None)
        rows = batch_size
        hooks = ("on_predict_batch_begin", "on_predict_batch_end")
        if not any(notified.user_listens(hook) for hook in hooks):
            rows *= max(_ROWS_AT_ONCE // batch_size, 1)
        for start in range(0, len(x), rows):
            part = outputs[start : start + rows]
            notified.notify("on_predict_batch_begin", start // batch_size, None)
            part[...], _ = chain.infer(x[start : start + rows])
            last = (start + len(part) - 1) // batch_size
            notified.notify("on_predict_batch_end", last, {"outputs": part})
        notified.notify("on_predict_end", None)
        return outputs

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Take one step on one batch; returns what `evaluate` does, from before the step."""
        self._check_compiled("train_on_batch")
        given = {"sample_weight": sample_weight, "class_weight": class_weight}
        refuse_not_built("train_on_batch", given, dict.fromkeys(given))
        x, y = self._as_data(x, y)
        steps = self._make_steps(x, y)
        steps.train(x, y)
        return _returned(steps, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Test on one batch; returns what `evaluate` does."""
        self._check_compiled("test_on_batch")
        refuse_not_built("test_on_batch", {"sample_weight": sample_weight}, {"sample_weight": None})
        x, y = self._as_data(x, y)
        steps = self._make_steps(x, y)
        steps.test(x, y)
        return _returned(steps, return_dict)

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Return the output for one batch."""
        output: np.ndarray = self(x)
        return output

    # ---------------------------------------------------------------------------------- helpers

    def _check_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(f"Call `compile` before `{method}`.")
        if self._loss is None:
            raise ValueError(f"`{method}` needs a `loss` in `compile`. Received: loss=None")

    def _as_data(self, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Convert inputs and labels and check them against the model, which stays as it is."""
        inputs = self.as_input(x, "x")
        if not len(inputs):
            raise ValueError(f"`x` must hold at least one sample. Received: shape={inputs.shape}")
        labels = as_targets(y, len(inputs))
        output_shape = self.compute_output_shape((None, *inputs.shape[1:]))
        assert self._loss is not None
        self._loss.check(labels, output_shape)
        labels = np.ascontiguousarray(labels, dtype=np.float32)
        # A metric that does not fit the output says so on one sample.
        for metric in _resolve(self._metrics, labels.shape, output_shape):
            metric.update_state(labels[:1], np.zeros((1, *output_shape[1:]), np.float32))
        return inputs, labels

    def _make_steps(self, x: np.ndarray, y: np.ndarray) -> Steps:
        self.build((None, *x.shape[1:]))
        assert self._loss is not None
        found = _resolve(self._metrics, y.shape, self.compute_output_shape(x.shape))
        trained = self.trainable_weights
        return Steps(self.leaves(), self._loss, found, self.optimizer, trained)

    def _notified(
        self,
        callbacks: Sequence[Callback] | None,
        verbose: int | str,
        epochs: int,
        samples: int,
        batch_size: int,
    ) -> CallbackList:
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"`verbose` must be 0, 1, 2 or 'auto'. Received: verbose={verbose!r}")
        progress = progress_for(1 if verbose == "auto" else int(verbose))
        steps = -(-samples // batch_size)
        params = {"verbose": verbose, "epochs": epochs, "steps": steps}
        return CallbackList(callbacks, self, params, progress)

    def _test(
        self,
        steps: Steps,
        x: np.ndarray,
        y: np.ndarray,
        batch_size: int,
        notified: CallbackList,
    ) -> dict[str, float]:
        notified.notify("on_test_begin", None)
        steps.reset()
        for batch, (x_batch, y_batch) in enumerate(batches(x, y, batch_size)):
            notified.notify("on_test_batch_begin", batch, None)
            steps.test(x_batch, y_batch)
            if notified.listens("on_test_batch_end"):
                notified.notify("on_test_batch_end", batch, _logs(steps))
        logs = _logs(steps)
        notified.notify("on_test_end", logs)
        return logs


def _resolve(
    identifiers: Sequence[Any],
    y_true_shape: tuple[int | None, ...],
    y_pred_shape: tuple[int | None, ...],
) -> list[metrics.Metric]:
    return [metrics.resolve(each, y_true_shape, y_pred_shape) for each in identifiers]


def _logs(steps: Steps) -> dict[str, float]:
    """Return loss and metrics sorted by name, the order of Keras's logs and History."""
    return dict(sorted(steps.results().items()))


def _returned(steps: Steps, return_dict: bool) -> Any:
    """Return loss and metrics in the form that `evaluate` returns."""
    if return_dict:
        return _logs(steps)
    results = list(steps.results().values())
    return results if len(results) > 1 else results[0]


def _batch_size(batch_size: int | None) -> int:
    if batch_size is None:
        return _DEFAULT_BATCH_SIZE
    return positive_integer("batch_size", batch_size)


def _check_epochs(**numbers: Any) -> None:
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"`{name}` must be an integer >= 0. Received: {name}={value!r}")
