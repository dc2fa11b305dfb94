"""CTC beside live Keras: losses, gradients, decoding, training."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import backend, ops

BATCH, STEPS, CLASSES = 5, 12, 6
RNG = np.random.default_rng(21)
LOGITS = (2 * RNG.normal(size=(BATCH, STEPS, CLASSES))).astype(np.float32)
TARGET = RNG.integers(1, CLASSES, (BATCH, 4))
COUNTS = np.array([4, 1, 3, 2, 4])
LENGTHS = np.array([12, 8, 9, 10, 11])


@pytest.mark.parametrize("blank", [0, 5, -1])
def test_values_and_gradients(keras: ModuleType, blank: int) -> None:
    import tensorflow as tf

    target = TARGET - (blank != 0)
    logits = tf.Variable(LOGITS)
    with tf.GradientTape() as tape:
        wanted = keras.ops.ctc_loss(target, logits, COUNTS, LENGTHS, mask_index=blank)
    gradient = tape.gradient(wanted, logits)
    with tf.GradientTape() as tape:
        found = ops.ctc_loss(target, logits, COUNTS, LENGTHS, mask_index=blank)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(found, logits), gradient, atol=1e-5)


@pytest.mark.parametrize("strategy", ["greedy", "beam_search"])
@pytest.mark.parametrize("blank", [0, 3])
def test_decoding(keras: ModuleType, strategy: str, blank: int) -> None:
    options: dict[str, Any] = {"strategy": strategy, "beam_width": 60, "mask_index": blank}
    wanted, scores = keras.ops.ctc_decode(LOGITS, LENGTHS, **options)
    found, own_scores = ops.ctc_decode(LOGITS, LENGTHS, **options)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_allclose(own_scores, scores, atol=0.02)  # theirs drops what is improbable


def test_the_older_names(keras: ModuleType) -> None:
    from keras._tf_keras.keras import backend as theirs

    p = ops.softmax(LOGITS)
    lengths, counts = LENGTHS[:, np.newaxis], COUNTS[:, np.newaxis]
    wanted = theirs.ctc_batch_cost(TARGET - 1, p, lengths, counts)
    np.testing.assert_allclose(
        backend.ctc_batch_cost(TARGET - 1, p, lengths, counts), wanted, rtol=1e-5
    )
    (wanted,), scores = theirs.ctc_decode(p, LENGTHS)
    (found,), own_scores = backend.ctc_decode(p, LENGTHS)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_allclose(own_scores, scores, rtol=1e-5)
    # Theirs drops beginnings whose labels turn out to be the most probable.
    (wanted,), _ = theirs.ctc_decode(p, LENGTHS, greedy=False)
    (found,), _ = backend.ctc_decode(p, LENGTHS, greedy=False)
    costs = [
        backend.ctc_batch_cost(each, p, lengths, np.sum(each >= 0, axis=1, keepdims=True))
        for each in (found, wanted.numpy())
    ]
    assert (costs[0] <= costs[1] + 1e-5).all()


def test_five_steps_of_training(keras: ModuleType) -> None:
    x = RNG.normal(size=(20, STEPS, 3)).astype(np.float32)
    y = np.where(np.arange(4) < RNG.integers(1, 5, (20, 1)), RNG.integers(1, CLASSES, (20, 4)), 0)

    def history(library: Any, weights: Any = None) -> tuple[Any, Any]:
        layers = library.layers
        rnn = layers.Bidirectional(layers.LSTM(4, return_sequences=True))
        model = library.Sequential([library.Input((STEPS, 3)), rnn, layers.Dense(CLASSES)])
        if weights is not None:
            model.set_weights(weights)
        first = model.get_weights()
        model.compile("sgd", loss="ctc")
        return model.fit(x, y, batch_size=4, verbose=0, shuffle=False).history["loss"], first

    losses, weights = history(fastrnn)
    np.testing.assert_allclose(losses, history(keras, weights)[0], rtol=1e-4)
