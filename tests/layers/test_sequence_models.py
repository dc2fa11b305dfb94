"""Whole models of the kinds that the tutorials build, trained beside live Keras.

Many-to-one, many-to-many, encoder-decoder and pooling, with masks of an Embedding and of Masking:
from equal weights three steps of SGD must move every weight alike.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest

BATCH, STEPS, FEATURES, VOCABULARY = 4, 5, 3, 7


def many_to_one(lib: Any) -> list[Any]:
    return [
        lib.Embedding(VOCABULARY, 4, mask_zero=True),
        lib.SpatialDropout1D(0.0),
        lib.LSTM(5),
        lib.LayerNormalization(),
        lib.Dense(2, activation="gelu"),
    ]


def normalized_steps(lib: Any) -> list[Any]:
    return [
        lib.Masking(-1.0),
        lib.Dense(4, activation="silu"),
        lib.LayerNormalization(),
        lib.GRU(5, return_sequences=True),
        lib.Activation("relu"),
        lib.SimpleRNN(4),
        lib.Dense(2),
    ]


def dense_per_step(lib: Any) -> list[Any]:
    return [
        lib.Embedding(VOCABULARY, 4, mask_zero=True),
        lib.GRU(5, return_sequences=True),
        lib.TimeDistributed(lib.Dense(3, activation="softmax")),
    ]


def activation_per_step(lib: Any) -> list[Any]:
    return [
        lib.Masking(-1.0),
        lib.Bidirectional(lib.LSTM(3, return_sequences=True)),
        lib.Dense(3),
        lib.Activation("softmax"),
    ]


def encoder_decoder(lib: Any) -> list[Any]:
    return [
        lib.Masking(-1.0),
        lib.LSTM(5),
        lib.RepeatVector(STEPS),
        lib.LSTM(4, return_sequences=True),
        lib.TimeDistributed(lib.Dense(2)),
    ]


def average(lib: Any) -> list[Any]:
    return [
        lib.Embedding(VOCABULARY, 4, mask_zero=True),
        lib.SimpleRNN(5, return_sequences=True),
        lib.GlobalAveragePooling1D(),
        lib.Dense(2, activation="tanh"),
    ]


def maximum(lib: Any) -> list[Any]:
    return [
        lib.LSTM(5, return_sequences=True),
        lib.GlobalMaxPooling1D(),
        lib.ReLU(negative_slope=0.1),
        lib.Dense(2),
    ]


def reshaped(lib: Any) -> list[Any]:
    return [
        lib.Permute((2, 1)),
        lib.GRU(4, return_sequences=True),
        lib.Flatten(),
        lib.Reshape((2, -1)),
        lib.SimpleRNN(4),
        lib.Dense(2),
        lib.LeakyReLU(0.2),
    ]


def steps_of_steps(lib: Any) -> list[Any]:
    return [
        lib.Reshape((STEPS, FEATURES, 1)),
        lib.TimeDistributed(lib.LSTM(3)),
        lib.GRU(4),
        lib.Dense(2),
    ]


# Model, the kind of its input, the kind of its targets.
MODELS: list[tuple[Any, str, str]] = [
    (many_to_one, "tokens", "vector"),
    (normalized_steps, "padded", "vector"),
    (dense_per_step, "tokens", "classes"),
    (activation_per_step, "padded", "classes"),
    (encoder_decoder, "padded", "sequence"),
    (average, "tokens", "vector"),
    (maximum, "dense", "vector"),
    (reshaped, "dense", "vector"),
    (steps_of_steps, "dense", "vector"),
]


def data(rng: np.random.Generator, x_kind: str, y_kind: str) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([STEPS, 2, 3, 1] * 3)
    padding = np.arange(STEPS) >= lengths[:, None]
    padding[2] = padding[2, ::-1]  # in front too
    if x_kind == "tokens":
        x = np.where(padding, 0, rng.integers(1, VOCABULARY, padding.shape))
    else:
        x = rng.normal(size=(*padding.shape, FEATURES)).astype("float32")
        x[padding & (x_kind == "padded")] = -1.0
    if y_kind == "classes":
        return x, rng.integers(0, 3, padding.shape)
    shape = (len(x), STEPS, 2) if y_kind == "sequence" else (len(x), 2)
    return x, rng.normal(size=shape).astype("float32")


@pytest.mark.parametrize(("layers", "x_kind", "y_kind"), MODELS)
def test_three_steps_of_sgd(
    keras: ModuleType, rng: np.random.Generator, layers: Any, x_kind: str, y_kind: str
) -> None:
    x, y = data(rng, x_kind, y_kind)
    loss = "sparse_categorical_crossentropy" if y_kind == "classes" else "mse"
    theirs, ours = (lib.Sequential(layers(lib.layers)) for lib in (keras, fastrnn))
    theirs.build((None, *x.shape[1:]))
    ours.build((None, *x.shape[1:]))
    before = [rng.normal(0, 0.5, w.shape).astype("float32") for w in theirs.get_weights()]
    theirs.set_weights(before)
    ours.set_weights(before)
    theirs.compile(keras.optimizers.SGD(0.5), loss, run_eagerly=True)
    ours.compile(fastrnn.optimizers.SGD(0.5), loss)
    assert theirs.output_shape == ours.output_shape
    for start in range(0, len(x), BATCH):
        batch = slice(start, start + BATCH)
        wanted = theirs.train_on_batch(x[batch], y[batch])
        np.testing.assert_allclose(ours.train_on_batch(x[batch], y[batch]), wanted, rtol=2e-5)
    for one, other, first in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        assert np.abs(one - first).max() > 1e-3, "the weight must have moved"
        np.testing.assert_allclose(one - first, other - first, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs(x.astype("float32")), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("last", ["Activation", "Softmax"])
def test_the_loss_sees_through_a_last_layer_of_softmax(
    keras: ModuleType, rng: np.random.Generator, last: str
) -> None:
    """Where probabilities have rounded to 0 and 1, the scores still have a gradient."""
    x, y = np.eye(3, dtype="float32"), np.array([0, 1, 1])
    arguments = ["softmax"] if last == "Activation" else []
    theirs, ours = (
        lib.Sequential([lib.layers.Dense(3), getattr(lib.layers, last)(*arguments)])
        for lib in (keras, fastrnn)
    )
    weights = [np.array([[90.0, 0, 0], [0, 0, 80], [0, 0, 70]], "float32"), np.zeros(3, "float32")]
    for model, lib in ((theirs, keras), (ours, fastrnn)):
        model.build((None, 3))
        model.set_weights(weights)
        model.compile(lib.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    theirs.run_eagerly = True
    losses = [np.ravel(model.train_on_batch(x, y))[0] for model in (ours, theirs)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
    assert losses[0] > 40
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_mask_of_steps_does_not_fit_a_softmax_layer(keras: ModuleType) -> None:
    """In Keras neither: the mask is compared with the last dimensions of the scores."""
    tokens = np.array([[1, 2, 0]])
    for lib in (keras, fastrnn):
        stack = [lib.layers.Embedding(3, 2, mask_zero=True), lib.layers.Softmax()]
        with pytest.raises(ValueError, match="broadcast"):
            lib.Sequential(stack)(tokens)
