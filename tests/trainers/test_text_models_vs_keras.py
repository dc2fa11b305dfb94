"""Models that begin with TextVectorization or StringLookup, beside Keras on TensorFlow."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest

WORDS = [
    "good",
    "bad",
    "film",
    "the",
    "a",
    "plot",
    "great",
    "süß",
    "İ",
    "don't",
    "(the)",
    "a\u00a0b",
]


def _strings(texts: list[str]) -> Any:
    import tensorflow as tf

    return tf.constant(texts)[:, tf.newaxis]


def _data(seed: int) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, int(rng.integers(0, 9)))) for _ in range(48)]
    return texts, rng.normal(size=(48, 2)).astype(np.float32)


def _sentiment(lib: Any, texts: list[str]) -> Any:
    vectorize = lib.layers.TextVectorization(max_tokens=9, output_sequence_length=7)
    vectorize.adapt(texts)
    return lib.Sequential(
        [
            lib.Input((1,), dtype="string"),
            vectorize,
            lib.layers.Embedding(9, 4, mask_zero=True),
            lib.layers.Bidirectional(lib.layers.LSTM(3)),
            lib.layers.Dense(2),
        ]
    )


def _ngrams_without_mask(lib: Any, texts: list[str]) -> Any:
    vectorize = lib.layers.TextVectorization(ngrams=2, output_sequence_length=9)
    vectorize.adapt(texts)
    text = lib.Input((1,), dtype="string")
    vectors = lib.layers.Embedding(vectorize.vocabulary_size(), 3)(vectorize(text))
    return lib.Model(text, lib.layers.Dense(2)(lib.layers.GRU(4)(vectors)))


def _longest_of_a_batch(lib: Any, texts: list[str]) -> Any:
    vectorize = lib.layers.TextVectorization()
    vectorize.adapt(texts)
    text = lib.Input((1,), dtype="string")
    vectors = lib.layers.Embedding(vectorize.vocabulary_size(), 3)(vectorize(text))
    return lib.Model(text, lib.layers.Dense(2)(lib.layers.SimpleRNN(4)(vectors)))


def _bag_of_words(lib: Any, texts: list[str]) -> Any:
    vectorize = lib.layers.TextVectorization(output_mode="tf_idf", max_tokens=10)
    vectorize.adapt(texts)
    text = lib.Input((1,), dtype="string")
    inner = lib.layers.Dense(4, activation="tanh")(vectorize(text))
    return lib.Model(text, lib.layers.Dense(2)(inner))


def _looked_up(lib: Any, texts: list[str]) -> Any:
    lookup = lib.layers.StringLookup(num_oov_indices=3)
    lookup.adapt(texts[:20])
    text = lib.Input((1,), dtype="string")
    vectors = lib.layers.Embedding(lookup.vocabulary_size(), 3)(lookup(text))
    return lib.Model(text, lib.layers.Dense(2)(lib.layers.LSTM(2)(vectors)))


@pytest.mark.parametrize(
    "make", [_sentiment, _ngrams_without_mask, _longest_of_a_batch, _bag_of_words, _looked_up]
)
def test_twenty_steps(keras: ModuleType, make: Any) -> None:
    texts, labels = _data(1)
    theirs, ours = make(keras, texts), make(fastrnn, texts)
    ours.set_weights(theirs.get_weights())
    assert [layer.output.dtype for layer in ours.layers[:2]] == [
        layer.output.dtype for layer in theirs.layers[:2]
    ]
    for model, lib in ((theirs, keras), (ours, fastrnn)):
        model.compile(lib.optimizers.SGD(0.5), "mse")
    theirs.run_eagerly = True
    test = [*_data(2)[0], *WORDS]
    strings = _strings(test)
    np.testing.assert_allclose(
        ours.predict(test, batch_size=99, verbose=0), theirs(strings), rtol=1e-5, atol=1e-6
    )
    for step in range(20):
        part = slice(step % 3 * 16, step % 3 * 16 + 16)
        expected = theirs.train_on_batch(_strings(texts[part]), labels[part])
        found = ours.train_on_batch(texts[part], labels[part])
        assert found == pytest.approx(float(expected), rel=1e-4), step
    np.testing.assert_allclose(
        ours.predict(test, batch_size=99, verbose=0), theirs(strings), rtol=1e-3, atol=1e-4
    )


def test_mapped_by_tensorflow(keras: ModuleType) -> None:
    """In the graph of a `tf.data` map a layer stands for calls as data come."""
    import tensorflow as tf

    texts, labels = _data(3)
    vectorize = fastrnn.layers.TextVectorization(output_sequence_length=5)
    vectorize.adapt(texts)
    data = tf.data.Dataset.from_tensor_slices((texts, labels)).batch(8)
    mapped = data.map(lambda text, label: (vectorize(text), label), num_parallel_calls=2)
    assert mapped.element_spec[0] == tf.TensorSpec((None, 5), tf.int64)
    found = np.concatenate([text for text, _ in mapped.as_numpy_iterator()])
    np.testing.assert_array_equal(found, vectorize(texts))
    lookup = fastrnn.layers.StringLookup(vocabulary=["b", "a"], invert=True)
    strings = tf.data.Dataset.from_tensor_slices([2, 0, 1]).map(lookup)
    assert list(strings.as_numpy_iterator()) == [b"a", b"[UNK]", b"b"]
    model = fastrnn.Sequential(
        [fastrnn.layers.Embedding(20, 3, mask_zero=True), fastrnn.layers.GRU(2)]
    )
    model.compile("adam", "mse")
    history = model.fit(mapped, validation_data=mapped, verbose=0).history
    assert np.isfinite([*history["loss"], *history["val_loss"]]).all()
