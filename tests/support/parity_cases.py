"""The long training runs that are compared with Keras, for make_golden.py and the tests.

A golden file holds the inputs as well as the answers, so that the tests draw no random numbers. The
short cases stand in `golden/`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from support.keras_cells import KERAS_CELLS

GOLDEN_FOLDER = Path(__file__).parents[1] / "golden"
TRAINING_FILE = GOLDEN_FOLDER / "training.npz"

# Training runs: 50 batches of 16 rows of 5 tokens.
#
# In a batch of "distinct" each of the 80 tokens occurs once. In one of "repeated" rows are padded
# and tokens recur, and there Keras's TensorFlow backend differs from its others: the gradient of an
# embedding is a list of rows (tf.IndexedSlices), and an optimizer squares each row before those of
# one token are added up, where with a dense gradient it squares their sum. fastrnn squares the sum,
# so "repeated" is compared with Keras's optimizers fed with dense gradients.
TRAINING_STEPS, TRAINING_BATCH, TRAINING_LENGTH = 50, 16, 5
VOCABULARY = TRAINING_BATCH * TRAINING_LENGTH
DATA = ("distinct", "repeated")

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "adam": ("Adam", {"learning_rate": 0.02}),
    "sgd": ("SGD", {"learning_rate": 0.4, "momentum": 0.7, "nesterov": True}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.01}),
    "adamw": ("AdamW", {"learning_rate": 0.02, "weight_decay": 0.02}),
}


def random_weights(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Distinct numbers of about a trained model's size, biases included."""
    return [
        (rng.standard_normal(shape) * (0.9 / np.sqrt(shape[0]) if len(shape) > 1 else 0.3)).astype(
            "f4"
        )
        for shape in shapes
    ]


def training_data(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Tokens [50, 16, 5] of both kinds; a row's label is whether most of its tokens are odd."""
    shape = (TRAINING_STEPS, TRAINING_BATCH, TRAINING_LENGTH)
    distinct = np.stack([rng.permutation(VOCABULARY).reshape(shape[1:]) for _ in range(shape[0])])
    repeated = rng.integers(1, VOCABULARY // 4, shape)
    repeated[np.arange(TRAINING_LENGTH) < rng.integers(0, 4, (*shape[:2], 1))] = 0
    return {"distinct": distinct.astype(np.int8), "repeated": repeated.astype(np.int8)}


def training_labels(tokens: np.ndarray) -> np.ndarray:
    return (np.mean(tokens % 2, axis=-1, keepdims=True) > 0.5).astype(np.float32)


def training_model(
    framework: Any, cell: str, optimizer: str, weights: list[np.ndarray] | None = None
) -> Any:
    """Embedding -> cell -> Dense(sigmoid) in `keras` or `fastrnn`: the same lines."""
    layer, config = KERAS_CELLS[cell]
    layers = framework.layers
    model = framework.Sequential(
        [
            layers.Input((TRAINING_LENGTH,), dtype="int32"),
            layers.Embedding(VOCABULARY, 6),
            getattr(layers, layer)(9, **config),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    if weights is not None:
        model.set_weights(weights)
    name, config = OPTIMIZERS[optimizer]
    model.compile(getattr(framework.optimizers, name)(**config), "binary_crossentropy")
    return model


def training_losses(model: Any, tokens: np.ndarray) -> np.ndarray:
    """Loss of each training step in fixed order, before its update."""
    losses = [
        np.ravel(model.train_on_batch(batch.astype(np.int32), training_labels(batch)))[0]
        for batch in tokens
    ]
    return np.array(losses, np.float64)


def dense_gradient_losses(keras: Any, model: Any, tokens: np.ndarray) -> np.ndarray:
    """The same of a Keras model on TensorFlow whose optimizer is given dense gradients."""
    import tensorflow as tf

    weights = [weight.value for weight in model.trainable_weights]
    losses = []
    for batch in tokens:
        with tf.GradientTape() as tape:
            probabilities = model(batch.astype(np.int32), training=True)
            loss = keras.losses.BinaryCrossentropy()(training_labels(batch), probabilities)
        gradients = [tf.convert_to_tensor(d) for d in tape.gradient(loss, weights)]
        model.optimizer.apply(gradients, model.trainable_weights)
        losses.append(float(loss))
    return np.array(losses, np.float64)
