"""Layers, models, losses and optimizers on the tapes of TensorFlow: `with tf.GradientTape()`."""

from __future__ import annotations

import importlib
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import activations, backend, layers, losses, metrics, ops, optimizers

tf: Any = None


@pytest.fixture(autouse=True)
def tensorflow(keras: Any) -> None:
    """Load TensorFlow, as the fixture `keras` sets it up."""
    global tf
    tf = importlib.import_module("tensorflow")


RNG = np.random.default_rng(3)
X = RNG.normal(size=(6, 5, 3)).astype("float32")
Y = RNG.normal(size=(6, 1)).astype("float32")
TOKENS = RNG.integers(1, 9, (6, 5))


def distinct(model: Any, seed: int = 0) -> Any:
    """Give a model weights that are all different."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape).astype("float32") * 0.4 for w in model.weights])
    return model


def sequential() -> Any:
    return distinct(
        fastrnn.Sequential(
            [
                layers.Input((5,)),
                layers.Embedding(9, 4),
                layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
                layers.GRU(4),
                layers.Dense(1),
            ]
        )
    )


def close(found: Any, expected: Any) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_a_model_has_the_gradients_of_its_own_passes(kind: str) -> None:
    model = sequential()
    inputs = TOKENS if kind == "array" else tf.constant(TOKENS)
    expected, gradients = fastrnn.value_and_gradients(
        lambda: ops.mean(ops.square(model(TOKENS) - Y)), model.trainable_weights
    )
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(inputs, training=True) - Y))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    close(tape.gradient(loss, model.trainable_weights), gradients)


@pytest.mark.parametrize(
    "loss",
    [
        losses.MeanSquaredError(),
        losses.Huber(0.3, reduction="sum"),
        lambda t, p: ops.mean(losses.mean_absolute_error(t, p)),
        lambda t, p: backend.mean(backend.square(t - p)),
        lambda t, p: ops.mean(ops.logsumexp(ops.concatenate([p, t], axis=-1), axis=-1)),
        lambda t, p: ops.sum(activations.sigmoid(p) * t),
    ],
    ids=["object", "sum", "function", "backend", "ops", "activation"],
)
def test_losses_and_functions_are_on_the_tape(loss: Any) -> None:
    model = sequential()
    expected, gradients = fastrnn.value_and_gradients(
        lambda: loss(Y, model(TOKENS)), model.trainable_weights
    )
    with tf.GradientTape() as tape:
        value = loss(tf.constant(Y), model(TOKENS))
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    close(tape.gradient(value, model.trainable_weights), gradients)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.MeanSquaredError(), lambda p: tf.reduce_mean(tf.square(p - Y))),
        (losses.mean_absolute_error, lambda p: tf.reduce_mean(tf.abs(p - Y))),
    ],
)
def test_labels_that_depend_on_weights(loss: Any, expected: Any) -> None:
    """Of a symmetric loss they get their gradient; scripts swap labels and predictions."""
    model = sequential()
    with tf.GradientTape(persistent=True) as tape:
        prediction = model(TOKENS)
        swapped = tf.reduce_mean(loss(prediction, tf.constant(Y)))
        plain = expected(prediction)
    close(
        tape.gradient(swapped, model.trainable_weights),
        tape.gradient(plain, model.trainable_weights),
    )
    with tf.GradientTape(), pytest.raises(TypeError, match="labels of loss"):
        losses.Poisson()(model(TOKENS), tf.constant(Y))


def test_two_steps_of_a_loop_are_those_of_fit() -> None:
    model, twin = sequential(), sequential()
    model.compile(optimizers.Adam(0.05), "mse")
    model.fit(TOKENS, Y, batch_size=3, epochs=1, shuffle=False, verbose=0)
    optimizer, loss_of = optimizers.Adam(0.05), losses.MeanSquaredError()
    gathered = metrics.Mean()
    for start in (0, 3):
        with tf.GradientTape() as tape:
            loss = loss_of(Y[start : start + 3], twin(TOKENS[start : start + 3], training=True))
        gradients = tape.gradient(loss, twin.trainable_variables)
        optimizer.apply_gradients(zip(gradients, twin.trainable_variables, strict=True))
        gathered.update_state(loss)
    close(twin.get_weights(), model.get_weights())
    assert float(gathered.result()) > 0


def test_gradients_of_inputs() -> None:
    dense = distinct(fastrnn.Sequential([layers.Input((5, 3)), layers.GRU(2), layers.Dense(1)]))
    x = tf.Variable(X)
    with tf.GradientTape() as tape:
        y = dense(x)
    found = tape.gradient(y, x).numpy()
    step = np.zeros_like(X)
    step[2, 3, 1] = 1e-2
    central = (dense(X + step).sum() - dense(X - step).sum()) / 2e-2
    np.testing.assert_allclose(found[2, 3, 1], central, rtol=1e-2)


class Scored(layers.Layer):
    """Attention, once in functions of TensorFlow and once in those of fastrnn."""

    def __init__(self, tensorflow: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tensorflow = tensorflow
        self.inside = layers.Dense(4, activation="tanh")

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(2, 4, 1), name="kernel")
        self.bias = self.add_weight(shape=(shape[1], 1), name="bias")
        self.scale = self.add_weight(shape=(1,), name="scale")

    def call(self, x: Any) -> Any:
        if self.tensorflow:
            scores = tf.tensordot(self.inside(x), self.kernel[1], axes=1) + self.bias
            return tf.reduce_sum(tf.nn.softmax(self.scale * scores, axis=1) * x, axis=1)
        scores = ops.tensordot(self.inside(x), self.kernel[1], axes=1) + self.bias
        return ops.sum(ops.softmax(self.scale * scores, axis=1) * x, axis=1)


class Gate(layers.Layer):
    """A gated cell, once in functions of TensorFlow and once in those of fastrnn."""

    def __init__(self, tensorflow: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tensorflow = tensorflow
        self.state_size = 3
        self.output_size = 3
        self.mix = layers.Dense(3)

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1] + 3, 3), name="kernel")
        self.peephole = self.add_weight(shape=(3,), name="peephole")

    def call(self, x: Any, states: Any) -> Any:
        (h,) = states
        if self.tensorflow:
            f = tf.sigmoid(tf.matmul(tf.concat([x, h], axis=1), self.kernel) + self.peephole * h)
            h = (1 - f) * h + f * tf.tanh(self.mix(x))
        else:
            f = ops.sigmoid(ops.concatenate([x, h], axis=1) @ self.kernel + self.peephole * h)
            h = (1 - f) * h + f * ops.tanh(self.mix(x))
        return h, [h]


def with_score(tensorflow: bool) -> Any:
    inputs = layers.Input((5, 3))
    states = layers.LSTM(4, return_sequences=True)(inputs)
    return fastrnn.Model(inputs, layers.Dense(1)(Scored(tensorflow)(states)))


def with_cell(tensorflow: bool) -> Any:
    inputs = layers.Input((5,))
    states = layers.Embedding(9, 4, mask_zero=True)(inputs)
    states = layers.RNN(Gate(tensorflow), return_sequences=True)(states)
    return fastrnn.Model(inputs, layers.Dense(1)(layers.RNN(Gate(tensorflow))(states)))


@pytest.mark.parametrize("make", [with_score, with_cell])
def test_functions_of_tensorflow_train_as_those_of_fastrnn(make: Any) -> None:
    """Layers inside and weights that are attributes get their gradients, masks count."""
    x: Any = X
    if make is with_cell:
        x = TOKENS.copy()
        x[:3, 3:] = 0
    trained = []
    for tensorflow in (True, False):
        model = distinct(make(tensorflow))
        before = model.get_weights()
        model.compile(optimizers.SGD(0.1), "mse")
        model.fit(x, Y, batch_size=3, epochs=2, shuffle=False, verbose=0)
        assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
        trained.append(model.get_weights())
    close(*trained)


def test_a_layer_of_tensorflow_on_a_tape() -> None:
    model, twin = distinct(with_score(True)), distinct(with_score(False))
    found = []
    for each in (model, twin):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(each(tf.constant(X)) - Y))
        found.append(tape.gradient(loss, each.trainable_weights))
    close(*found)


def test_second_derivatives_are_refused() -> None:
    model = distinct(fastrnn.Sequential([layers.Input((5, 3)), layers.GRU(2), layers.Dense(1)]))
    x = tf.constant(X)
    with tf.GradientTape(), tf.GradientTape() as inner:
        inner.watch(x)
        y = model(x)
        with pytest.raises(NotImplementedError, match="Second derivatives"):
            inner.gradient(y, x)


def test_a_function_that_is_compiled_is_refused() -> None:
    model = sequential()

    @tf.function(autograph=False)
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x))
        return tape.gradient(loss, model.trainable_weights)

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)
    try:
        with pytest.raises(TypeError, match="run_functions_eagerly"):
            step(tf.constant(TOKENS))
    finally:
        tf.config.run_functions_eagerly(before)


def test_weights_as_tensors() -> None:
    layer = layers.Dense(2)
    layer.build((None, 3))
    kernel = layer.kernel
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.square(kernel)) + tf.reduce_sum(3.0 * kernel[0] - kernel / 2.0)
    expected = 2 * kernel.numpy() - 0.5
    expected[0] += 9.0
    np.testing.assert_allclose(tape.gradient(y, kernel), expected, rtol=1e-5)
    kernel.assign(tf.ones_like(kernel))
    np.testing.assert_array_equal(kernel, np.ones((3, 2)))
    kernel.trainable = False
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(kernel * tf.constant(2.0))
    assert float(y) == 12.0
