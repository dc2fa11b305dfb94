"""A model for the tests of files, small, trained for a step."""

from __future__ import annotations

import fastrnn
import numpy as np
from fastrnn import layers

TOKENS = 1 + np.random.default_rng(3).permutation(20).reshape(4, 5)
TOKENS[0, 3:] = 0
LABELS = np.array([[0.0], [1.0], [1.0], [0.0]])


def small_model(optimizer: object = "adam") -> fastrnn.Sequential:
    model = fastrnn.Sequential(
        [
            layers.Input((5,)),
            layers.Embedding(21, 3, mask_zero=True),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(3)),
            fastrnn.Sequential(
                [layers.GRU(3, return_sequences=True), layers.LayerNormalization()], name="inner"
            ),
            layers.SimpleRNN(2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer, "mse", metrics=["accuracy", fastrnn.metrics.AUC(num_thresholds=9)])
    model.train_on_batch(TOKENS, LABELS)
    return model


def state(model: fastrnn.Sequential) -> list[np.ndarray]:
    """Everything that training changes."""
    slots = [slot.numpy() for slot in model.optimizer.slots]
    return [*model.get_weights(), *slots, np.array(model.optimizer.iterations)]
