"""Models of Keras, with and without `fastrnn.keras.accelerate`: `train_on_batch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastrnn
import fastrnn.keras
import keras
import numpy as np
from keras import layers

LIBRARY = f"Keras {keras.__version__} on {keras.backend.backend()}"

SEQUENCE_LOSS = "sparse_categorical_crossentropy"

# Name: loss, and a function of a generator that returns a model, its inputs and its targets.
CASES: dict[str, tuple[str, Callable[[np.random.Generator], tuple[Any, Any, np.ndarray]]]] = {}
QUICK = ("reviews, GRU 50", "forecaster, two LSTM 50")


def case(name: str, loss: str) -> Callable[..., Any]:
    """Put the function below into the table."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        CASES[name] = loss, function
        return function

    return put


def reviews(cell: Any, rng: np.random.Generator) -> tuple[Any, Any, np.ndarray]:
    """64 reviews of 200 words, embedded in 32 columns."""
    model = keras.Sequential([keras.Input((200,)), layers.Embedding(10_000, 32), cell])
    model.add(layers.Dense(1, activation="sigmoid"))
    return model, rng.integers(1, 10_000, (64, 200)), rng.integers(0, 2, (64, 1))


@case("reviews, LSTM 50", "binary_crossentropy")
def _(rng: np.random.Generator) -> tuple[Any, Any, np.ndarray]:
    return reviews(layers.LSTM(50), rng)


@case("reviews, GRU 50", "binary_crossentropy")
def _(rng: np.random.Generator) -> tuple[Any, Any, np.ndarray]:
    return reviews(layers.GRU(50), rng)


@case("reviews, LSTM 100, dropout", "binary_crossentropy")
def _(rng: np.random.Generator) -> tuple[Any, Any, np.ndarray]:
    return reviews(layers.LSTM(100, dropout=0.2, recurrent_dropout=0.2), rng)


@case("forecaster, two LSTM 50", "mse")
def _(rng: np.random.Generator) -> tuple[Any, Any, np.ndarray]:
    """32 windows of 60 steps with one feature."""
    parts = [layers.LSTM(50, return_sequences=True), layers.LSTM(50), layers.Dense(1)]
    model = keras.Sequential([keras.Input((60, 1)), *parts])
    return model, rng.normal(size=(32, 60, 1)), rng.normal(size=(32, 1))


@case("tagger, bidirectional LSTM 64", SEQUENCE_LOSS)
def _(rng: np.random.Generator) -> tuple[Any, Any, np.ndarray]:
    """64 sentences of 50 words, padded with zeros that are masked."""
    parts = [layers.Bidirectional(layers.LSTM(64, return_sequences=True))]
    parts += [layers.Dense(10, activation="softmax")]
    embedding = layers.Embedding(5_000, 100, mask_zero=True)
    model = keras.Sequential([keras.Input((50,)), embedding, *parts])
    x = rng.integers(1, 5_000, (64, 50))
    x[np.arange(50) >= rng.integers(5, 51, (64, 1))] = 0
    return model, x, rng.integers(0, 10, (64, 50))


@case("functional encoder-decoder, LSTM 256", SEQUENCE_LOSS)
def _(rng: np.random.Generator) -> tuple[Any, Any, np.ndarray]:
    """64 pairs of sentences of 30 words; the encoder's states begin the decoder."""
    source, target = keras.Input((30,)), keras.Input((30,))
    _, h, c = layers.LSTM(256, return_state=True)(layers.Embedding(1_000, 64)(source))
    decoder = layers.LSTM(256, return_sequences=True)
    outputs = decoder(layers.Embedding(1_000, 64)(target), initial_state=[h, c])
    model = keras.Model([source, target], layers.Dense(1_000, activation="softmax")(outputs))
    x = [rng.integers(0, 1_000, (64, 30)) for _ in range(2)]
    return model, x, rng.integers(0, 1_000, (64, 30))


def limit_threads(threads: int) -> None:
    """Let the kernels, and TensorFlow or PyTorch around them, use so many threads."""
    fastrnn.set_num_threads(threads)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
    elif backend == "torch":
        import torch

        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)


def twins(name: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return a training step in Keras alone, and one of the same model accelerated."""
    loss, make = CASES[name]

    def step(accelerated: bool) -> Callable[[], None]:
        keras.utils.set_random_seed(0)
        model, x, y = make(np.random.default_rng(0))
        model.compile("adam", loss)
        if accelerated:
            fastrnn.keras.accelerate(model)

        def one() -> None:
            model.train_on_batch(x, y)

        return one

    return step(False), step(True)
