"""`value_and_gradients`: gradients for training loops of one's own."""

from __future__ import annotations

from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, losses, models, ops, optimizers

pytest.importorskip("autograd")


def random_data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 5, 3)).astype("float32"), rng.normal(size=(6, 2)).astype("float32")


class Scaled(layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight("scale", (input_shape[-1],), "normal")

    def call(self, inputs: Any) -> Any:
        return ops.tanh(inputs * self.scale)


def small_model(own: bool) -> models.Sequential:
    inside = [Scaled()] if own else []
    model = models.Sequential(
        [layers.Input((5, 3)), layers.LSTM(4), *inside, layers.Dense(2, activation="tanh")]
    )
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.7, each.shape) for each in model.get_weights()])
    return model


@pytest.mark.parametrize("own", [False, True])
def test_a_loop_of_ones_own_does_what_fit_does(own: bool) -> None:
    x, y = random_data()
    fitted, looped = small_model(own), small_model(own)
    fitted.compile(optimizers.SGD(0.1), "mse")
    mse, sgd = losses.MeanSquaredError(), optimizers.SGD(0.1)
    for _ in range(3):
        expected = fitted.train_on_batch(x, y)
        value, gradients = fastrnn.value_and_gradients(
            lambda: mse(y, looped(x, training=True)), looped.trainable_weights
        )
        sgd.apply_gradients(zip(gradients, looped.trainable_weights, strict=True))
        assert value == pytest.approx(float(np.ravel(expected)[0]), rel=1e-5)
    for one, other in zip(fitted.get_weights(), looped.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("own", [False, True])
def test_gradients_are_central_differences(own: bool) -> None:
    x, _ = random_data()
    model = small_model(own)

    def function() -> Any:
        y = model(x)
        return ops.sum(y * y) + ops.mean(y)

    _, gradients = fastrnn.value_and_gradients(function, model.weights)
    rng = np.random.default_rng(2)
    for variable, gradient in zip(model.weights, gradients, strict=True):
        assert gradient.dtype == np.float32
        assert gradient.shape == variable.shape
        before, way = variable.numpy(), rng.choice([-1.0, 1.0], variable.shape)
        ends = []
        for step in (1e-2, -1e-2):
            variable.assign(before + step * way)
            ends.append(float(function()))
        variable.assign(before)
        assert (ends[0] - ends[1]) / 2e-2 == pytest.approx(
            (gradient * way).sum(), rel=1e-2, abs=2e-3
        )


def test_a_layer_of_ones_own_called_alone_and_a_model_of_two_inputs() -> None:
    x, _ = random_data()
    layer = Scaled()
    layer(x)
    value, (gradient,) = fastrnn.value_and_gradients(lambda: ops.sum(layer(x)), layer.weights)
    y = np.tanh(x * layer.scale.value)
    np.testing.assert_allclose(gradient, (x * (1 - y * y)).sum((0, 1)), rtol=1e-4, atol=1e-5)
    assert value == pytest.approx(y.sum(), rel=1e-4, abs=1e-4)
    a, b = layers.Input((3,)), layers.Input((3,))
    model = models.Model([a, b], layers.Dense(1, use_bias=False)(layers.Subtract()([a, b])))
    given = [x[:, 0], x[:, 1]]
    _, (gradient,) = fastrnn.value_and_gradients(lambda: ops.sum(model(given)), model.weights)
    np.testing.assert_allclose(gradient[:, 0], (x[:, 0] - x[:, 1]).sum(0), rtol=1e-4, atol=1e-5)


def test_what_is_left_out_has_zeros_and_bad_arguments_are_refused() -> None:
    x, y = random_data()
    model, other = small_model(False), small_model(False)
    _, gradients = fastrnn.value_and_gradients(lambda: ops.sum(model(x)), other.weights)
    assert not any(gradient.any() for gradient in gradients)
    with pytest.raises(ValueError, match="`function` must return a scalar"):
        fastrnn.value_and_gradients(lambda: model(x), model.weights)
    with pytest.raises(TypeError, match="`variables` must be a list of weights"):
        fastrnn.value_and_gradients(lambda: ops.sum(model(x)), model.get_weights())
    loss = losses.MeanSquaredError(reduction=None)
    with pytest.raises(ValueError, match="must return a scalar"):
        fastrnn.value_and_gradients(lambda: loss(y, model(x)), model.weights)
