"""Functions of a user's own and layers as activations: numbers, gradients, files."""

from __future__ import annotations

from pathlib import Path

import fastrnn
import numpy as np
import pytest
from fastrnn import activations, layers, ops

X = np.random.default_rng(3).normal(size=(6, 5, 2)).astype("float32")
Y = np.random.default_rng(4).normal(size=(6, 1)).astype("float32")


def own_silu(x):
    return x * ops.sigmoid(x)


def model_with(activation):
    model = fastrnn.Sequential(
        [
            layers.Input((5, 2)),
            layers.LSTM(3),
            layers.Dense(4, activation=activation),
            layers.Dense(1),
        ]
    )
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(-1, 1, w.shape) for w in model.get_weights()])
    model.compile("sgd", "mse")
    return model


def losses_of(model):
    return model.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"]


@pytest.mark.parametrize(
    ("own", "built_in"),
    [
        (own_silu, "silu"),
        (lambda x: ops.maximum(x, 0.2 * x), "leaky_relu"),
        (layers.LeakyReLU(0.2), "leaky_relu"),
        (layers.Activation("gelu"), "gelu"),
    ],
)
def test_an_activation_of_a_users_own_trains_as_the_built_in_one(own, built_in):
    np.testing.assert_allclose(
        losses_of(model_with(own)), losses_of(model_with(built_in)), rtol=1e-5
    )


def test_functions_of_tensorflow_are_the_built_in_ones(keras):
    import tensorflow as tf

    for function in (tf.nn.relu, tf.nn.sigmoid, tf.nn.softmax, tf.tanh, tf.nn.swish, tf.nn.elu):
        given = np.float32([[-2, 0.5, 1.5]])
        assert type(activations.get(function)) is activations.Activation
        np.testing.assert_allclose(activations.get(function)(given), function(given), rtol=1e-5)


def test_a_function_made_of_tensorflow_trains(keras):
    import tensorflow as tf

    model = model_with(lambda x: x * tf.sigmoid(x))
    np.testing.assert_allclose(losses_of(model), losses_of(model_with("silu")), rtol=1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("activation", [own_silu, layers.LeakyReLU(negative_slope=0.3)])
def test_files_keep_own_activations(tmp_path: Path, activation, suffix):
    model = model_with(activation)
    model.save(tmp_path / f"model{suffix}")
    loaded = fastrnn.models.load_model(
        tmp_path / f"model{suffix}", custom_objects={"own_silu": own_silu}
    )
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert losses_of(loaded) == losses_of(model)


def test_a_file_with_an_own_activation_asks_for_it(tmp_path: Path):
    model_with(own_silu).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"custom_objects=.*'own_silu'"):
        fastrnn.models.load_model(tmp_path / "model.keras")


def test_a_function_named_as_a_built_in_one_is_not_that_one():
    def sigmoid(x):
        return x * 0.5

    found = losses_of(model_with(sigmoid))
    assert found != losses_of(model_with("sigmoid"))
    halved = model_with(lambda x: ops.multiply(x, 0.5))
    np.testing.assert_allclose(found, losses_of(halved), rtol=1e-6)


def test_what_cannot_be_an_activation():
    with pytest.raises(ValueError, match="element-wise, without weights"):
        layers.Dense(2, activation=layers.PReLU())
    with pytest.raises(ValueError, match="of the shape of its argument"):
        activations.get(lambda x: x[:1])(np.ones((2, 2)))
    assert activations.get(np.tanh) is activations.tanh
