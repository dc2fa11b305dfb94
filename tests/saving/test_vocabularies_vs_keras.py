"""Models of texts in files of Keras, both ways, and in memory."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest

TEXTS = ["a good film, süß", "bad\u00a0film", "a plot", "", "plot plot good"]
NEW = [*TEXTS, "good good zzz film"]
ARGUMENTS: list[dict[str, Any]] = [
    {"output_sequence_length": 5},
    {"ngrams": (1, 2), "split": "character"},
    {"output_mode": "count"},
    {"output_mode": "tf_idf"},
    {"output_mode": "tf_idf", "max_tokens": 30, "pad_to_max_tokens": True},
    {"vocabulary": ["film", "good"]},
    {"vocabulary": ["film", "good"], "idf_weights": [0.5, 2.0], "output_mode": "tf_idf"},
]


def _model(lib: Any, arguments: dict[str, Any], kind: str) -> Any:
    vectorize = lib.layers.TextVectorization(**arguments)
    if "vocabulary" not in arguments:
        vectorize.adapt(TEXTS)
    body = [lib.layers.Dense(2)]
    if arguments.get("output_mode", "int") == "int":
        recurrent = lib.layers.LSTM(3)
        body = [lib.layers.Embedding(60, 3, mask_zero=True), recurrent, *body]
    text = lib.Input((1,), dtype="string")
    if kind == "functional":
        made = vectorize(text)
        for layer in body:
            made = layer(made)
        model = lib.Model(text, made)
    else:
        model = lib.Sequential([text, vectorize, *body])
    model.compile("adam", "mse")
    return model


@pytest.fixture(autouse=True)
def quiet(keras: ModuleType) -> Iterator[None]:
    """Keras warns about its own format `.h5`."""
    logging.getLogger("absl").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _strings(texts: list[str]) -> Any:
    import tensorflow as tf

    return tf.constant(texts)[:, tf.newaxis]


@pytest.mark.parametrize(
    ("kind", "number"),
    [("Sequential", 0), *[("functional", number) for number in range(len(ARGUMENTS))]],
)
def test_both_ways(keras: ModuleType, kind: str, number: int, tmp_path: Path) -> None:
    arguments = ARGUMENTS[number]
    theirs, ours = _model(keras, arguments, kind), _model(fastrnn, arguments, kind)
    theirs.run_eagerly = True
    theirs.fit(_strings(TEXTS), np.ones((5, 2)), verbose=0)
    expected = theirs(_strings(NEW))
    ours.set_weights(theirs.get_weights())
    ours.fit(TEXTS, np.ones((5, 2)), verbose=0)
    found = ours.predict(NEW, verbose=0)

    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    _same(again(_strings(NEW)), found)
    _same(fastrnn.to_keras(ours)(_strings(NEW)), found)
    _same(fastrnn.from_keras(theirs).predict(NEW, verbose=0), expected)
    if not arguments.get("pad_to_max_tokens"):  # Keras cannot load that file of its own
        theirs.save(tmp_path / "theirs.keras")
        _same(keras.models.load_model(tmp_path / "theirs.keras")(_strings(NEW)), expected)
        loaded = fastrnn.models.load_model(tmp_path / "theirs.keras")
        _same(loaded.predict(NEW, verbose=0), expected)
        loss = [theirs.train_on_batch(_strings(NEW), np.ones((6, 2)))]
        loss.append(loaded.train_on_batch(NEW, np.ones((6, 2))))
        assert loss[1] == pytest.approx(float(loss[0]), rel=1e-4)
    ours.save(tmp_path / "ours.h5")
    again = keras.models.load_model(tmp_path / "ours.h5")
    _same(again(_strings(NEW)), found)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    _same(ours.predict(NEW, verbose=0), theirs(_strings(NEW)))


def test_line_breaks_among_the_tokens(keras: ModuleType, tmp_path: Path) -> None:
    """Keras's own file has too many lines then; ours has the vocabulary in its config."""
    arguments = {"split": "character", "standardize": None}
    texts = ["a\nb", "c\u2028d"]
    vectorize = fastrnn.layers.TextVectorization(**arguments)
    vectorize.adapt(texts)
    text = fastrnn.Input((1,), dtype="string")
    model = fastrnn.Model(text, fastrnn.layers.Embedding(9, 2)(vectorize(text)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    _same(again(_strings(texts)), model.predict(texts, verbose=0))


def _same(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
