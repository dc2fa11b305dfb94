"""Layers of films: their gradients by central differences, dropout, models, what they refuse."""

from __future__ import annotations

import fastrnn
import numpy as np
import pytest
from fastrnn import layers

RNG = np.random.default_rng(2)
FILM = RNG.normal(size=(3, 4, 6, 5, 2)).astype("float32")


def test_one_by_one_windows_are_an_lstm_at_every_place():
    conv = layers.ConvLSTM2D(3, 1, return_sequences=True)
    lstm = layers.LSTM(3, return_sequences=True)
    y = conv(FILM)
    places = np.moveaxis(FILM, 1, 3).reshape(-1, 4, 2)
    lstm.build(places.shape)
    weights = [RNG.normal(size=w.shape).astype("float32") for w in lstm.get_weights()]
    lstm.set_weights(weights)
    conv.set_weights([w if w.ndim == 1 else w[np.newaxis, np.newaxis] for w in weights])
    wanted = np.moveaxis(lstm(places).reshape(3, 6, 5, 4, 3), 3, 1)
    np.testing.assert_allclose(conv(FILM), wanted, rtol=1e-4, atol=1e-5)
    assert y.shape == wanted.shape


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.ConvLSTM2D(2, 2, dropout=0.3, recurrent_dropout=0.3, seed=4),
        lambda: layers.ConvLSTM2D(2, (3, 2), strides=2, go_backwards=True, return_sequences=True),
    ],
)
def test_gradients_are_central_differences(make):
    """Of a training call with dropout too: each call of a fresh layer draws the same masks."""

    def fresh(weights=None):
        layer = make()
        layer.build(FILM.shape)
        rng = np.random.default_rng(8)
        given = [rng.normal(size=w.shape) * 0.4 for w in layer.get_weights()]
        layer.set_weights(weights or given)
        return layer

    layer = fresh()
    y, cache = layer.forward(FILM, training=True)
    d_y = np.random.default_rng(9).normal(size=y.shape).astype("float32")
    d_x, d_weights = layer.backward(cache, d_y)
    start, step = layer.get_weights(), 1e-2

    def value(x, weights):
        return float((fresh(weights).forward(x, training=True)[0] * d_y).sum(dtype="float64"))

    for number, gradient in enumerate(d_weights):
        for flat in (0, gradient.size // 2, gradient.size - 1):
            place = np.unravel_index(flat, gradient.shape)
            ends = []
            for sign in (1, -1):
                weights = [w.copy() for w in start]
                weights[number][place] += sign * step
                ends.append(value(FILM, weights))
            wanted = (ends[0] - ends[1]) / (2 * step)
            assert gradient[place] == pytest.approx(wanted, rel=2e-2, abs=2e-2)
    for place in ((0, 0, 1, 1, 0), (2, 3, 4, 3, 1)):
        ends = []
        for sign in (1, -1):
            x = FILM.copy()
            x[place] += sign * step
            ends.append(value(x, start))
        assert d_x[place] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=2e-2, abs=2e-2)


def test_a_film_model_trains_and_is_saved(tmp_path):
    model = fastrnn.Sequential(
        [
            layers.Input((4, 6, 5, 2)),
            layers.TimeDistributed(layers.Conv2D(3, 3, padding="same", activation="relu")),
            layers.TimeDistributed(layers.MaxPooling2D(2)),
            layers.ConvLSTM2D(3, 2, padding="same", return_sequences=True),
            layers.BatchNormalization(),
            layers.Conv3D(2, 2, padding="same"),
            layers.TimeDistributed(layers.Flatten()),
            layers.LSTM(4),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    losses = model.fit(FILM, [0, 1, 0], epochs=12, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "film.keras")
    loaded = fastrnn.models.load_model(tmp_path / "film.keras")
    np.testing.assert_array_equal(loaded.predict(FILM, verbose=0), model.predict(FILM, verbose=0))


def test_a_decoder_gives_the_steps_back():
    inputs = layers.Input((8, 2))
    code = layers.Conv1D(3, 4, strides=2, padding="same")(inputs)
    model = fastrnn.Model(inputs, layers.Conv1DTranspose(2, 4, strides=2, padding="same")(code))
    assert model.output_shape == (None, 8, 2)
    model.compile("adam", "mse")
    x = FILM[:, :, :, 0].reshape(-1, 8, 2)[:6]
    losses = model.fit(x, x, epochs=9, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_what_they_do_not_do_is_refused():
    with pytest.raises(ValueError, match="channels_last"):
        layers.Conv2D(2, 3, data_format="channels_first")
    with pytest.raises(ValueError, match="groups"):
        layers.Conv2D(2, 3, groups=2)
    with pytest.raises(ValueError, match="must not both be above 1"):
        layers.ConvLSTM2D(2, 3, strides=2, dilation_rate=2)
    for argument in ("stateful", "return_state"):
        with pytest.raises(ValueError, match=argument):
            layers.ConvLSTM2D(2, 3, **{argument: True})
    with pytest.raises(ValueError, match="as large as a window"):
        layers.Conv2D(2, 9)(np.zeros((1, 4, 4, 1)))
    with pytest.raises(ValueError, match="must have 5 dimensions"):
        layers.ConvLSTM2D(2, 3)(np.zeros((1, 4, 4, 1)))
    with pytest.raises(ValueError, match="output_padding"):
        layers.Conv1DTranspose(2, 3, output_padding=1)
