"""fastrnn and Keras under the worker's commands: one interface, so one class drives both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from comparison.data import each
from comparison.made_up import Inputs
from comparison.trainee import Plan, Predicted, Progress
from comparison.workloads import LayerSpec

DROPOUT_SEED = 11


def _build(layers: ModuleType, layer: LayerSpec) -> Any:
    """The layer of a specification, with the one that it wraps."""
    kind, options = layer
    if "layer" in options:
        options = {**options, "layer": _build(layers, options["layer"])}
    return getattr(layers, kind)(**options)


def layers_of(layers: ModuleType, specifications: Sequence[LayerSpec]) -> list[Any]:
    """The layers of a chain."""
    return [_build(layers, each) for each in specifications]


def _applied(layers: ModuleType, layer: LayerSpec, x: Any) -> Any:
    """The output of the layer of a specification, called on a tensor or on a list of them."""
    if layer[0] != "EncoderDecoder":
        return _build(layers, layer)(x)
    kind, options = layer[1]["layer"]
    source, target = x
    _, *states = _build(layers, (kind, {**options, "return_state": True}))(source)
    decoder = _build(layers, (kind, {**options, "return_sequences": True}))
    return decoder(target, initial_state=states)


class KerasStyle:
    """A functional model of a package that has Keras's interface."""

    def __init__(self, package: str, plan: Plan, **compile_options: Any) -> None:
        models, layers, optimizers, utils = (
            import_module(f"{package}.{name}")
            for name in ("models", "layers", "optimizers", "utils")
        )
        utils.set_random_seed(DROPOUT_SEED)
        self.plan = plan
        inputs = each(
            plan.data["x_train"],
            lambda array: layers.Input(shape=array.shape[1:], dtype=str(array.dtype)),
        )
        outputs = inputs
        for layer in plan.layers:
            outputs = _applied(layers, layer, outputs)
        self.model = models.Model(inputs, outputs)
        self.model.set_weights(plan.weights)
        self.model.compile(
            loss=plan.loss,
            optimizer=optimizers.Adam(learning_rate=plan.learning_rate),
            metrics=[plan.metric],
            **compile_options,
        )

    def train(self, rows: np.ndarray) -> Progress:
        """Trains on these rows, one step for each batch of them; the time is that of `fit`."""
        x = each(self.plan.data["x_train"], lambda array: array[rows])
        y = self.plan.data["y_train"][rows]
        start = time.perf_counter()
        history = self.fit(x, y)
        return Progress(time.perf_counter() - start, float(history.history["loss"][-1]))

    def fit(self, x: Inputs, y: np.ndarray, **options: Any) -> Any:
        """One epoch over the rows in their order, printing nothing."""
        return self.model.fit(
            x, y, batch_size=self.plan.batch, epochs=1, shuffle=False, verbose=0, **options
        )

    def evaluate(self, batch: int) -> tuple[float, float]:
        """Loss and metric on the test set."""
        loss, metric = self.model.evaluate(
            each(self.plan.data["x_test"], np.array),
            np.array(self.plan.data["y_test"]),
            batch_size=batch,
            verbose=0,
        )
        return float(loss), float(metric)

    def predict(self, x: np.ndarray, batch: int) -> Predicted:
        """The model's outputs by `predict`, computed in batches; the time is that of the call."""
        start = time.perf_counter()
        outputs = self.model.predict(x, batch_size=batch, verbose=0)
        return Predicted(time.perf_counter() - start, np.asarray(outputs))

    def predict_one(self, x: np.ndarray) -> np.ndarray:
        """The model's output for an array of one sample, as most users get it: by `predict`."""
        return np.asarray(self.model.predict(x, verbose=0))

    def weights(self) -> Sequence[np.ndarray]:
        """The weights in Keras's layout and order."""
        return [np.asarray(array) for array in self.model.get_weights()]


class FastRnn(KerasStyle):
    """fastrnn. Its time is that of the whole call of `fit`."""

    def __init__(self, plan: Plan, threads: int, policy: str = "float32") -> None:
        import fastrnn

        fastrnn.set_num_threads(threads)
        fastrnn.config.set_dtype_policy(policy)
        super().__init__("fastrnn", plan)


class Keras(KerasStyle):
    """Keras on the backend named by the environment variable KERAS_BACKEND.

    Its time runs from the first batch of `fit` to the end of the epoch, and of `predict` to its
    end. What they do before, once per call, is left out: a round is shorter than an epoch, and
    would count it too often.
    """

    def __init__(self, plan: Plan, threads: int, **compile_options: Any) -> None:
        import keras

        class Stopwatch(keras.callbacks.Callback):
            """Takes the time of an epoch or a prediction from its first batch on."""

            start = seconds = 0.0

            def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
                if batch == 0:
                    self.start = time.perf_counter()

            def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
                self.seconds = time.perf_counter() - self.start

            on_predict_batch_begin = on_train_batch_begin

            def on_predict_end(self, logs: dict | None = None) -> None:
                self.seconds = time.perf_counter() - self.start

        self.stopwatch = Stopwatch()
        super().__init__("keras", plan, **compile_options)
        self.compiled = _compiled_call(self.model, bool(compile_options.get("jit_compile")))

    def train(self, rows: np.ndarray) -> Progress:
        """Trains on these rows, one step for each batch of them."""
        return super().train(rows)._replace(seconds=self.stopwatch.seconds)

    def fit(self, x: Inputs, y: np.ndarray, **options: Any) -> Any:
        """One epoch under the stopwatch."""
        return super().fit(x, y, callbacks=[self.stopwatch], **options)

    def predict(self, x: np.ndarray, batch: int) -> Predicted:
        """The model's outputs by `predict`, computed in batches, under the stopwatch."""
        outputs = self.model.predict(x, batch_size=batch, verbose=0, callbacks=[self.stopwatch])
        return Predicted(self.stopwatch.seconds, np.asarray(outputs))

    def predict_one(self, x: np.ndarray) -> np.ndarray:
        """The model's output for an array of one sample, by the leanest call of the backend."""
        return super().predict_one(x) if self.compiled is None else self.compiled(x)


def _compiled_call(model: Any, jit_compile: bool) -> Callable[[np.ndarray], np.ndarray] | None:
    """The model as a compiled function without the machinery of `predict`.

    That is how a user who needs answers soon calls a model on JAX, or on TensorFlow with XLA.
    None for TensorFlow without XLA, which stands for the user who calls `predict`.
    """
    import keras

    if keras.backend.backend() == "jax":
        import jax

        @jax.jit
        def outputs(trainable: list, non_trainable: list, x: Any) -> Any:
            return model.stateless_call(trainable, non_trainable, x, training=False)[0]

        def call(x: np.ndarray) -> np.ndarray:
            trainable = [variable.value for variable in model.trainable_variables]
            non_trainable = [variable.value for variable in model.non_trainable_variables]
            return np.asarray(outputs(trainable, non_trainable, x))

        return call
    if jit_compile:
        import tensorflow

        function = tensorflow.function(lambda x: model(x, training=False), jit_compile=True)
        return lambda x: function(x).numpy()
    return None
