"""The random numbers of `fastrnn.random` and `backend`, as scripts draw them."""

from __future__ import annotations

import fastrnn
import numpy as np
import pytest
from fastrnn import backend, layers, ops, random


@pytest.mark.parametrize(
    ("draw", "mean", "deviation"),
    [
        (lambda **seed: random.normal((4000,), 2.0, 0.5, **seed), 2.0, 0.5),
        (lambda **seed: random.uniform((4000,), -1.0, 3.0, **seed), 1.0, 4 / np.sqrt(12)),
        (lambda **seed: random.truncated_normal((4000,), **seed), 0.0, 0.88),
        (lambda **seed: random.randint((4000,), 2, 5, **seed), 3.0, np.sqrt(2 / 3)),
        (lambda **seed: backend.random_normal((4000,), mean=2.0, stddev=0.5, **seed), 2.0, 0.5),
        (lambda **seed: backend.random_uniform((4000,), maxval=2.0, **seed), 1.0, 2 / np.sqrt(12)),
    ],
)
def test_numbers_have_their_distribution_and_seeds(draw, mean, deviation):
    fastrnn.utils.set_random_seed(1)
    first = draw()
    fastrnn.utils.set_random_seed(1)
    np.testing.assert_array_equal(draw(), first)
    assert first.mean() == pytest.approx(mean, abs=0.1)
    assert first.std() == pytest.approx(deviation, rel=0.05)
    np.testing.assert_array_equal(draw(seed=3), draw(seed=3))
    seeds = random.SeedGenerator(3)
    np.testing.assert_array_equal(draw(seed=seeds), draw(seed=3))
    assert (draw(seed=seeds) != draw(seed=3)).any()


def test_truncated_numbers_are_within_two_deviations():
    assert np.abs(random.truncated_normal((5000,), seed=1)).max() <= 2


def test_classes_are_drawn_by_their_probabilities():
    logits = np.log([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    drawn = random.categorical(logits, 4000, seed=2)
    assert drawn.shape == (2, 4000)
    shares = [np.bincount(row, minlength=3) / 4000 for row in drawn]
    np.testing.assert_allclose(shares, np.exp(logits), atol=0.03)


def test_a_sampling_layer_of_a_variational_autoencoder_trains():
    class Sampling(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seeds = 7  # the same numbers in each call

        def call(self, inputs):
            mean, log_variance = inputs
            noise = random.normal(ops.shape(mean), seed=self.seeds)
            return mean + ops.exp(0.5 * log_variance) * noise

    inputs = layers.Input((6, 2))
    hidden = layers.LSTM(4)(inputs)
    code = Sampling()([layers.Dense(2)(hidden), layers.Dense(2)(hidden)])
    decoded = layers.LSTM(4, return_sequences=True)(layers.RepeatVector(6)(code))
    model = fastrnn.Model(inputs, layers.Dense(2)(decoded))
    model.compile(fastrnn.optimizers.Adam(0.02), "mse")
    x = np.random.default_rng(0).random((8, 6, 2))
    losses = model.fit(x, x, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    sampling = next(layer for layer in model.layers if isinstance(layer, Sampling))
    np.testing.assert_array_equal(model(x), model(x))
    sampling.seeds = random.SeedGenerator(7)
    assert (model(x) != model(x)).any()


def test_old_names_of_the_backend_change_weights():
    weight = backend.variable([1.0, 2.0])
    backend.set_value(weight, [3.0, 4.0])
    assert backend.get_value(weight).tolist() == [3.0, 4.0]
    backend.batch_set_value([(weight, [0.0, 1.0])])
    assert backend.batch_get_value([weight])[0].tolist() == [0.0, 1.0]
    assert backend.update_add(weight, 1.0).numpy().tolist() == [1.0, 2.0]
    assert backend.count_params(weight) == 2
    optimizer = fastrnn.optimizers.Adam(0.1)
    backend.set_value(optimizer.learning_rate, 0.5)
    assert backend.get_value(optimizer.learning_rate) == pytest.approx(0.5)
    assert backend.is_keras_tensor(layers.Input((2,)))
    assert backend.reverse(np.arange(3), 0).tolist() == [2, 1, 0]
    assert [backend.get_uid("own"), backend.get_uid("own")] == [1, 2]


def test_unknown_names_of_keras_are_told_apart():
    with pytest.raises(ValueError, match="Keras has the optimizer 'Lion', and fastrnn does not"):
        fastrnn.optimizers.get("lion")
    with pytest.raises(ValueError, match="Keras has the loss 'Dice'"):
        fastrnn.losses.get("dice")
    with pytest.raises(ValueError, match="Did you mean adam"):
        fastrnn.optimizers.get("adan")


@pytest.mark.parametrize("layer", [layers.GRU(3), layers.LSTM(3), layers.SimpleRNN(3)])
def test_first_states_of_a_layer_are_zeros(layer):
    x = np.random.default_rng(0).random((2, 5, 4)).astype("float32")
    states = layer.get_initial_state(batch_size=2)
    assert [state.numpy().any() for state in states] == [False] * len(states)
    np.testing.assert_array_equal(layer(x, initial_state=states), layer(x))
