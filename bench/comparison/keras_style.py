"""fastrnn and Keras under the worker's commands: one interface, so one class drives both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from comparison.systems import Plan, Progress


class KerasStyle:
    """A `Sequential` model of a package that has Keras's interface."""

    def __init__(self, package: str, plan: Plan, **compile_options: Any) -> None:
        models, layers, optimizers = (
            import_module(f"{package}.{name}") for name in ("models", "layers", "optimizers")
        )
        self.plan = plan
        inputs = plan.data["x_train"]
        self.model = models.Sequential(
            [layers.Input(shape=inputs.shape[1:], dtype=str(inputs.dtype))]
            + [getattr(layers, kind)(**options) for kind, options in plan.layers]
        )
        self.model.set_weights(plan.weights)
        self.model.compile(
            loss=plan.loss,
            optimizer=optimizers.Adam(learning_rate=plan.learning_rate),
            metrics=[plan.metric],
            **compile_options,
        )

    def train(self, rows: np.ndarray) -> Progress:
        """Trains on these rows, one step for each batch of them; the time is that of `fit`."""
        x, y = self.plan.data["x_train"][rows], self.plan.data["y_train"][rows]
        start = time.perf_counter()
        history = self.fit(x, y)
        return Progress(time.perf_counter() - start, float(history.history["loss"][-1]))

    def fit(self, x: np.ndarray, y: np.ndarray, **options: Any) -> Any:
        """One epoch over the rows in their order, printing nothing."""
        return self.model.fit(
            x, y, batch_size=self.plan.batch, epochs=1, shuffle=False, verbose=0, **options
        )

    def evaluate(self, batch: int) -> tuple[float, float]:
        """Loss and metric on the test set."""
        loss, metric = self.model.evaluate(
            np.array(self.plan.data["x_test"]),
            np.array(self.plan.data["y_test"]),
            batch_size=batch,
            verbose=0,
        )
        return float(loss), float(metric)

    def weights(self) -> Sequence[np.ndarray]:
        """The weights in Keras's layout and order."""
        return [np.asarray(array) for array in self.model.get_weights()]


class FastRnn(KerasStyle):
    """fastrnn. Its time is that of the whole call of `fit`."""

    def __init__(self, plan: Plan, threads: int) -> None:
        import fastrnn

        fastrnn.set_num_threads(threads)
        super().__init__("fastrnn", plan)


class Keras(KerasStyle):
    """Keras on the backend named by the environment variable KERAS_BACKEND.

    Its time runs from the first batch of `fit` to the end of the epoch. What `fit` does before,
    once per call, is left out: a round is much shorter than an epoch, and would count it too often.
    """

    def __init__(self, plan: Plan, threads: int, **compile_options: Any) -> None:
        import keras

        class Stopwatch(keras.callbacks.Callback):
            """Takes the time of an epoch from its first batch on."""

            start = seconds = 0.0

            def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
                if batch == 0:
                    self.start = time.perf_counter()

            def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
                self.seconds = time.perf_counter() - self.start

        self.stopwatch = Stopwatch()
        super().__init__("keras", plan, **compile_options)

    def train(self, rows: np.ndarray) -> Progress:
        """Trains on these rows, one step for each batch of them."""
        return super().train(rows)._replace(seconds=self.stopwatch.seconds)

    def fit(self, x: np.ndarray, y: np.ndarray, **options: Any) -> Any:
        """One epoch under the stopwatch."""
        return super().fit(x, y, callbacks=[self.stopwatch], **options)
