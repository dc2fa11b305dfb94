"""Makes the golden files of this folder with real Keras, version 3.15.1 and the last of Keras 2:

    KERAS_BACKEND=tensorflow python tests/saving/golden/make_golden.py keras
    pip install tf_keras && python tests/saving/golden/make_golden.py tf_keras

Each model is trained for two steps and saved. answers.npz holds the inputs and, for each model,
what it predicts then, and after two further steps, in which the optimizer's state counts. All go
into <library>.zip, because HDF5 files of small models are mostly empty.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

TOKENS = 1 + np.random.default_rng(1).permutation(20).reshape(4, 5)  # no token occurs twice,
TOKENS[:2, 3:] = 0  # because of Adam (see the README); these are padding
SEQUENCES = np.random.default_rng(2).normal(size=(4, 5, 2)).astype(np.float32)
LABELS = np.array([[0.0], [1.0], [1.0], [0.0]], np.float32)


def stacked(keras: Any) -> Any:
    """A Sequential of many kinds; Adam."""
    layers = keras.layers
    old = keras.__version__.startswith("2")
    first = {"input_length": 5} if old else {}
    model = keras.Sequential(
        [
            *([] if old else [layers.Input((5,))]),
            layers.Embedding(21, 3, mask_zero=True, **first),
            layers.Bidirectional(layers.LSTM(2, return_sequences=True)),
            layers.Dropout(0.0),
            layers.GRU(3, **({"implementation": 1} if old else {})),
            layers.Dense(1, activation="sigmoid", kernel_regularizer="l2"),
        ],
        name="stacked",
    )
    optimizer = keras.optimizers.Adam(0.02, clipnorm=1.0)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def legacy(keras: Any) -> Any:
    """A model with one of the older optimizers of Keras 2, and a loss object."""
    layers = keras.layers
    model = keras.Sequential([layers.LSTM(2, input_shape=(5, 2)), layers.Dense(1)], name="legacy")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.legacy.Adam(0.02), loss, metrics=["mae"])
    return model


def functional(keras: Any) -> Any:
    """A functional chain with a model in it; momentum and a schedule."""
    layers = keras.layers
    inner_input = layers.Input((5, 2))
    inner = keras.Model(
        inner_input, layers.LSTM(3, return_sequences=True)(inner_input), name="inner"
    )
    inputs = layers.Input((5, 2))
    x = layers.SimpleRNN(2, return_sequences=True)(layers.Masking()(inputs))
    outputs = layers.Dense(1)(layers.GRU(2)(inner(x)))
    model = keras.Model(inputs, outputs, name="functional")
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
    model.compile(optimizer, keras.losses.MeanSquaredError(), metrics=["mae"])
    return model


def main(library: str) -> None:
    keras = importlib.import_module(library)
    keras.utils.set_random_seed(7)
    with tempfile.TemporaryDirectory() as folder:
        save_all(keras, Path(folder))
        target = Path(__file__).parent / f"{library}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)


def save_all(keras: Any, folder: Path) -> None:
    old = keras.__version__.startswith("2")
    answers: dict[str, np.ndarray] = {"tokens": TOKENS, "sequences": SEQUENCES, "labels": LABELS}
    makers = [stacked, functional] + ([legacy] if old else [])
    for make in makers:
        model = make(keras)
        name = make.__name__
        x = TOKENS if make is stacked else SEQUENCES
        for _ in range(2):
            model.train_on_batch(x, LABELS)
        for end in (".h5",) if make is legacy else (".keras", ".h5"):
            model.save(folder / f"{name}{end}")
        if make is stacked:
            model.save_weights(folder / f"{name}{'_weights.h5' if old else '.weights.h5'}")
        answers[f"{name}/predictions"] = model.predict(x, verbose=0)
        for _ in range(2):
            model.train_on_batch(x, LABELS)
        answers[f"{name}/later"] = model.predict(x, verbose=0)
    np.savez(folder / "answers.npz", **answers)


if __name__ == "__main__":
    main(sys.argv[1])
