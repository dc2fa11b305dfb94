"""Losses of fastrnn called by a loss of the user's own keep their gradient."""

from __future__ import annotations

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, losses, ops

X = np.random.default_rng(3).normal(size=(6, 5, 2)).astype("float32")
IDS = np.array([0, 2, 1, 1, 0, 2])
Y = np.random.default_rng(4).normal(size=(6, 3)).astype("float32")


def trained(loss, y):
    model = fastrnn.Sequential([layers.Input((5, 2)), layers.LSTM(4), layers.Dense(3)])
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(-1, 1, w.shape) for w in model.get_weights()])
    model.compile("sgd", loss)
    return model.fit(X, y, epochs=3, shuffle=False, verbose=0).history["loss"]


def test_a_function_with_arguments_by_a_function_of_ones_own():
    def loss(y_true, y_pred):
        return losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)

    built_in = losses.SparseCategoricalCrossentropy(from_logits=True)
    np.testing.assert_allclose(trained(loss, IDS), trained(built_in, IDS), rtol=1e-5)


@pytest.mark.parametrize("name", ["mse", "MAE", "log_cosh", "huber", "poisson", "kld", "hinge"])
def test_every_function_within_a_sum(name):
    function = getattr(losses, name)
    y = np.abs(Y)

    def loss(y_true, y_pred):
        return 2 * function(y_true, ops.softplus(y_pred)) + ops.mean(y_pred**2, axis=-1)

    def apart(y_true, y_pred):
        p = ops.softplus(y_pred)
        both = {
            "mse": lambda: (y_true - p) ** 2,
            "MAE": lambda: ops.abs(y_true - p),
            "log_cosh": lambda: ops.log((ops.exp(p - y_true) + ops.exp(y_true - p)) / 2),
            "poisson": lambda: p - y_true * ops.log(p + 1e-7),
            "hinge": lambda: ops.maximum(1 - (2 * y_true - 1) * p, 0),
        }
        return 2 * ops.mean(both[name](), axis=-1) + ops.mean(y_pred**2, axis=-1)

    if name in ("huber", "kld"):
        assert trained(loss, y)[2] < trained(loss, y)[0]
    else:
        labels = (y > 0.5).astype("float32") if name == "hinge" else y
        np.testing.assert_allclose(trained(loss, labels), trained(apart, labels), rtol=1e-4)


def test_a_loss_within_functions_of_tensorflow_has_its_gradient(keras):
    import tensorflow as tf

    def loss(y_true, y_pred):
        return losses.mse(y_true, y_pred) + tf.reduce_mean(tf.abs(y_pred))

    def apart(y_true, y_pred):
        return tf.reduce_mean(tf.square(y_true - y_pred), axis=-1) + tf.reduce_mean(tf.abs(y_pred))

    np.testing.assert_allclose(trained(loss, Y), trained(apart, Y), rtol=1e-5)
    total = trained(lambda t, p: tf.reduce_mean(losses.MeanSquaredError()(t, p)), Y)
    np.testing.assert_allclose(total, trained("mse", Y), rtol=1e-5)
