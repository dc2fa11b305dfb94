"""What is compared with Keras: layer variants and training runs, for make_golden.py and the tests.

A golden file holds the inputs as well as the answers, so that the tests draw no random numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

GOLDEN_FOLDER = Path(__file__).with_name("parity")
VARIANTS_FILE = GOLDEN_FOLDER / "layers.npz"
TRAINING_FILE = GOLDEN_FOLDER / "training.npz"

BATCH, STEPS, FEATURES, UNITS = 3, 6, 4, 7


class Variant(NamedTuple):
    """A Keras layer with its constructor arguments; `initial_state`: called with one."""

    layer: str
    config: dict[str, Any]
    initial_state: bool = False


_ALL = {"return_sequences": True}

VARIANTS = {
    "simple_rnn": Variant("SimpleRNN", {}),
    "simple_rnn_sequences": Variant("SimpleRNN", _ALL, initial_state=True),
    "simple_rnn_relu": Variant("SimpleRNN", {"activation": "relu", **_ALL}),
    "simple_rnn_no_bias": Variant("SimpleRNN", {"use_bias": False}),
    "lstm": Variant("LSTM", {}),
    "lstm_sequences": Variant("LSTM", _ALL, initial_state=True),
    "lstm_relu": Variant("LSTM", {"activation": "relu", **_ALL}),
    "lstm_hard_sigmoid": Variant("LSTM", {"recurrent_activation": "hard_sigmoid", **_ALL}),
    "lstm_softsign_softplus": Variant(
        "LSTM", {"activation": "softsign", "recurrent_activation": "softplus"}
    ),
    "lstm_no_bias": Variant("LSTM", {"use_bias": False}),
    "gru": Variant("GRU", {}),
    "gru_sequences": Variant("GRU", _ALL, initial_state=True),
    "gru_relu": Variant("GRU", {"activation": "relu", **_ALL}),
    "gru_elu_hard_sigmoid": Variant(
        "GRU", {"activation": "elu", "recurrent_activation": "hard_sigmoid"}
    ),
    "gru_no_bias": Variant("GRU", {"use_bias": False}),
    "gru_reset_before": Variant("GRU", {"reset_after": False}),
    "gru_reset_before_sequences": Variant(
        "GRU", {"reset_after": False, **_ALL}, initial_state=True
    ),
    "gru_reset_before_relu": Variant("GRU", {"reset_after": False, "activation": "relu"}),
    "gru_reset_before_no_bias": Variant("GRU", {"reset_after": False, "use_bias": False}),
}

# Models for forward passes: rows of (layer, config); the first layer is an Embedding.
MODELS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    f"stacked_{layer.lower()}": [
        ("Embedding", {"input_dim": 20, "output_dim": 4}),
        (layer, {"units": 6, "return_sequences": True}),
        (layer, {"units": 5}),
        ("Dense", {"units": 3, "activation": "softmax"}),
    ]
    for layer in ("SimpleRNN", "LSTM", "GRU")
}

VOCABULARY, TRAINING_BATCH, TRAINING_STEPS = 24, 16, 50

CELLS: dict[str, tuple[str, dict[str, Any]]] = {
    "simple_rnn": ("SimpleRNN", {}),
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {}),
    "gru_reset_before": ("GRU", {"reset_after": False}),
}

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "adam": ("Adam", {"learning_rate": 0.01}),
    "sgd": ("SGD", {"learning_rate": 0.5, "momentum": 0.7, "nesterov": True}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.01}),
    "adamw": ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.02}),
}


def random_weights(rng: np.random.Generator, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Distinct numbers of about a trained model's size, biases included."""
    return [
        (rng.standard_normal(shape) * (0.9 / np.sqrt(shape[0]) if len(shape) > 1 else 0.3)).astype(
            "f4"
        )
        for shape in shapes
    ]


def training_data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """50 batches of left-padded tokens [50, 16, 10]; parity of the last as labels [50, 16, 1]."""
    tokens = rng.integers(1, VOCABULARY, (TRAINING_STEPS, TRAINING_BATCH, 10))
    lengths = rng.integers(3, 11, (TRAINING_STEPS, TRAINING_BATCH, 1))
    tokens[np.arange(10) < 10 - lengths] = 0
    labels = tokens[:, :, -1:] % 2
    return tokens.astype(np.int32), labels.astype(np.float32)


def training_model(framework: Any, cell: str) -> Any:
    """Embedding -> cell -> Dense(sigmoid), built, in `keras` or `fastrnn`: the same lines."""
    layer, config = CELLS[cell]
    layers = framework.layers
    return framework.Sequential(
        [
            layers.Input((10,), dtype="int32"),
            layers.Embedding(VOCABULARY, 6),
            getattr(layers, layer)(9, **config),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def training_losses(
    framework: Any,
    cell: str,
    optimizer: str,
    weights: list[np.ndarray],
    tokens: np.ndarray,
    labels: np.ndarray,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Loss of each training step in fixed order, before its update, and the weights at the end."""
    model = training_model(framework, cell)
    model.set_weights(weights)
    name, config = OPTIMIZERS[optimizer]
    model.compile(getattr(framework.optimizers, name)(**config), "binary_crossentropy")
    losses = [np.ravel(model.train_on_batch(x, y))[0] for x, y in zip(tokens, labels, strict=True)]
    return np.array(losses, np.float64), model.get_weights()
