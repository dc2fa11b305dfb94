"""Models of texts: TextVectorization and StringLookup as layers, without Keras."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn import Input, Model, Sequential, layers, ops
from fastrnn.layers import StringLookup, TextVectorization
from fastrnn.optimizers import SGD
from fastrnn.utils import set_random_seed

WORDS = ["good", "bad", "film", "the", "a", "plot", "great", "boring", "süß"]


def _texts(number: int) -> list[str]:
    rng = np.random.default_rng(3)
    return [" ".join(rng.choice(WORDS, int(rng.integers(1, 9)))) for _ in range(number)]


TEXTS = _texts(100)
LABELS = np.array([float("good" in text or "great" in text) for text in TEXTS], np.float32)


def _body(size: int) -> list[layers.Layer]:
    return [
        layers.Embedding(size, 5, mask_zero=True),
        layers.LSTM(4),
        layers.Dense(1, activation="sigmoid"),
    ]


def _vectorization(length: int | None = 6, **arguments: Any) -> TextVectorization:
    vectorize = TextVectorization(output_sequence_length=length, **arguments)
    vectorize.adapt(TEXTS)
    return vectorize


def _model(kind: str, length: int | None = 6) -> Model:
    set_random_seed(1)
    vectorize = _vectorization(length)
    body = _body(vectorize.vocabulary_size())
    if kind == "with Input":
        model = Sequential([Input((1,), dtype="string"), vectorize, *body])
    elif kind == "without":
        model = Sequential([vectorize, *body])
    elif kind == "nested":
        model = Sequential([Sequential([vectorize]), Sequential(body)])
    else:
        text = Input((1,), dtype="string", name="text")
        made = vectorize(text)
        for layer in body:
            made = layer(made)
        model = Model(text, made)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("length", [6, None])
def test_models_of_texts_train_as_those_of_their_tokens(length: int | None) -> None:
    """The same bits, whichever way the texts take into the model."""
    vectorize = _vectorization(length)
    set_random_seed(1)
    plain = Sequential(_body(vectorize.vocabulary_size()))
    plain.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    tokens = _vectorization(8)(TEXTS) if length is None else vectorize(TEXTS)
    arguments = {"epochs": 2, "batch_size": 16, "verbose": 0, "validation_split": 0.2}
    set_random_seed(2)
    expected = plain.fit(tokens, LABELS, **arguments).history
    predicted = plain.predict(tokens, batch_size=16, verbose=0)
    for kind in ("with Input", "without", "nested", "functional"):
        model = _model(kind, length)
        set_random_seed(2)
        history = model.fit(TEXTS, LABELS, **arguments).history
        for key, values in expected.items():
            np.testing.assert_allclose(history[key], values, rtol=1e-6, err_msg=f"{kind} {key}")
        found = model.predict(np.array(TEXTS)[:, np.newaxis], batch_size=16, verbose=0)
        if length is not None:
            np.testing.assert_array_equal(found, predicted, err_msg=kind)
        np.testing.assert_allclose(found, predicted, rtol=1e-5, atol=1e-7, err_msg=kind)


@pytest.mark.parametrize(
    "form",
    [
        lambda texts: texts,
        tuple,
        np.array,
        lambda texts: np.array(texts)[:, np.newaxis],
        lambda texts: np.array(texts, dtype=object),
        lambda texts: [[text] for text in texts],
        lambda texts: [text.encode() for text in texts],
        lambda texts: [np.array(texts)[:, np.newaxis]],
    ],
)
@pytest.mark.parametrize("kind", ["with Input", "without", "functional"])
def test_forms_of_texts(form: Any, kind: str) -> None:
    model = _model(kind)
    expected = model.evaluate(TEXTS, LABELS, verbose=0)
    assert model.evaluate(form(TEXTS), LABELS, verbose=0) == expected
    np.testing.assert_array_equal(
        model.predict(form(TEXTS), verbose=0), model.predict(TEXTS, verbose=0)
    )
    np.testing.assert_array_equal(model(form(TEXTS[:1])), model(TEXTS[:1]))
    twin = copy.deepcopy(model)
    assert twin.train_on_batch(form(TEXTS), LABELS) == model.train_on_batch(TEXTS, LABELS)


def test_data_that_yield_texts() -> None:
    def batches() -> Iterator[Any]:
        for start in range(0, 100, 20):
            yield TEXTS[start : start + 20], LABELS[start : start + 20]

    whole, in_parts, tokens = _model("with Input"), _model("with Input"), _model("without")
    arguments = {"batch_size": 20, "verbose": 0, "shuffle": False}
    expected = whole.fit(TEXTS, LABELS, validation_data=(TEXTS, LABELS), **arguments).history
    history = in_parts.fit(batches(), validation_data=batches(), verbose=0).history
    assert history == expected
    vectorize, inner = tokens.layers[0], Sequential(tokens.layers[1:])
    inner.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    mapped = ((vectorize(texts), labels) for texts, labels in batches())
    assert inner.fit(mapped, verbose=0).history["loss"] == expected["loss"]
    named = _model("functional")
    assert named.evaluate({"text": np.array(TEXTS)}, LABELS, verbose=0) == _model(
        "with Input"
    ).evaluate(TEXTS, LABELS, verbose=0)


def test_a_batch_is_as_long_as_its_longest_text() -> None:
    """Without masks predictions depend on the padding, so that batches stay as they are."""
    vectorize = _vectorization(None)
    set_random_seed(4)
    model = Sequential([vectorize, layers.Embedding(20, 3), layers.SimpleRNN(4)])
    model.compile("sgd", "mse")
    found = model.predict(TEXTS, batch_size=8, verbose=0)
    for start in range(0, 100, 8):
        np.testing.assert_array_equal(
            found[start : start + 8], model(TEXTS[start : start + 8]), err_msg=str(start)
        )


def test_numbers_and_strings_as_outputs() -> None:
    text = Input((1,), dtype="string")
    numbers = _vectorization()(text)
    model = Model(text, numbers)
    found = model.predict(TEXTS * 7, verbose=0)  # more than are computed at once
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, _vectorization()(TEXTS * 7))
    assert numbers.dtype == "int64"
    back = StringLookup(vocabulary=_vectorization().get_vocabulary(), mask_token="", invert=True)
    strings = Model(text, back(numbers)).predict(["a good qqq"], verbose=0)
    assert strings.tolist() == [[b"a", b"good", b"[UNK]", b"", b"", b""]]
    varying = Sequential([_vectorization(None)])
    with pytest.raises(ValueError, match="`output_sequence_length` of a TextVectorization gives"):
        varying.predict(["a", "a good film"], batch_size=1, verbose=0)


@pytest.mark.parametrize("mode", ["multi_hot", "count", "tf_idf"])
def test_vectors_as_floats(mode: str) -> None:
    """Layers of floats read the integers of a text layer as floats; gradients end there."""
    vectorize = _vectorization(None, output_mode=mode)
    set_random_seed(5)
    model = Sequential([vectorize, layers.Dense(3, activation="tanh"), layers.Dense(1)])
    model.compile("sgd", "mse")
    set_random_seed(5)
    plain = Sequential([layers.Dense(3, activation="tanh"), layers.Dense(1)])
    plain.compile("sgd", "mse")
    vectors = vectorize(TEXTS).astype(np.float32)
    for _ in range(3):
        assert model.train_on_batch(TEXTS, LABELS) == plain.train_on_batch(vectors, LABELS)
    assert model.output_shape == (None, 1)


@pytest.mark.parametrize(
    "layer",
    [layers.AveragePooling1D(2), layers.LayerNormalization(), layers.GRU(2), layers.Conv1D(2, 3)],
)
def test_layers_of_floats_on_numbers_of_tokens(layer: layers.Layer) -> None:
    text = Input((1,), dtype="string")
    tokens = _vectorization()(text)
    model = Model(text, layer(layers.Reshape((6, 1))(tokens)))
    found = model.predict(TEXTS, verbose=0)
    assert found.dtype == np.float32
    numbers = _vectorization()(TEXTS)[..., np.newaxis].astype(np.float32)
    np.testing.assert_array_equal(found, layer(numbers))


def test_operations_on_numbers_of_tokens() -> None:
    """They stay integers, so that they can be places in a table."""
    text = Input((1,), dtype="string")
    tokens = _vectorization()(text)
    numbers = _vectorization()(TEXTS)
    for made, expected in (
        (tokens * 2 + 1, numbers * 2 + 1),
        (ops.not_equal(tokens, 0), numbers != 0),
        (ops.take(np.arange(20) ** 2, tokens), numbers**2),
    ):
        found = Model(text, made).predict(TEXTS, verbose=0)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    vectors = layers.Embedding(12, 3)(tokens)
    masked = Model(text, layers.GRU(2)(vectors, mask=ops.not_equal(tokens, 0)))
    table = masked.layers[2].embeddings.value
    skipped = layers.Embedding(12, 3, mask_zero=True, weights=table)
    plain = Sequential([_vectorization(), skipped, masked.layers[-1]])
    np.testing.assert_array_equal(masked.predict(TEXTS, verbose=0), plain.predict(TEXTS, verbose=0))


def _is_known(ids: Any) -> Any:
    return (ids > 1) * 1.0


def test_branches_of_one_text() -> None:
    """Tokens go to two embeddings, to a layer of floats and to a function of the user's."""
    text, number = Input((1,), dtype="string", name="text"), Input((2,), name="number")
    tokens = _vectorization()(text)
    first = layers.LSTM(3)(layers.Embedding(12, 4, mask_zero=True)(tokens))
    second = layers.GlobalMaxPooling1D()(layers.Embedding(12, 2)(tokens))
    third = layers.Flatten()(layers.Reshape((6, 1))(tokens))
    fourth = layers.Lambda(_is_known)(tokens)
    again = layers.GRU(2)(layers.Embedding(12, 3)(layers.Reshape((6,))(tokens)))
    joined = layers.Concatenate()([first, second, third, fourth, again, number])
    model = Model([text, number], layers.Dense(1)(joined))
    model.compile(SGD(0.001), "mse")
    numbers = np.random.default_rng(0).normal(size=(100, 2))
    before = model.predict([TEXTS, numbers], verbose=0)
    losses = [model.train_on_batch({"text": TEXTS, "number": numbers}, LABELS) for _ in range(5)]
    assert losses[-1] < losses[0]
    assert not np.array_equal(before, model.predict([TEXTS, numbers], verbose=0))
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        twin.predict([TEXTS, numbers], verbose=0), model.predict([TEXTS, numbers], verbose=0)
    )


def test_texts_in_another_encoding() -> None:
    texts = [text.encode("latin-1") for text in TEXTS]
    for functional in (False, True):
        vectorize = TextVectorization(encoding="latin-1", output_sequence_length=4)
        vectorize.adapt(texts)
        assert "süß" in vectorize.get_vocabulary()
        text = Input((1,), dtype="string")
        model = Model(text, vectorize(text)) if functional else Sequential([vectorize])
        for data in (texts, TEXTS):
            np.testing.assert_array_equal(model.predict(data, verbose=0), vectorize(TEXTS))


def test_bad_input() -> None:
    model = _model("with Input")
    before = model.get_weights()
    with pytest.raises(TypeError, match=r"`x` must hold strings\. Received: dtype=float64"):
        model.fit(np.ones((4, 1)), LABELS[:4], verbose=0)
    with pytest.raises(TypeError, match=r"`x` must hold strings\. Received: 5"):
        _model("functional").fit(["a", 5], LABELS[:2], verbose=0)
    with pytest.raises(ValueError, match=r"must have the shape \[batch\] or \[batch, 1\]"):
        model.predict([["a", "b"]], verbose=0)
    with pytest.raises(TypeError, match="`x` must hold real numbers"):
        Sequential([layers.LSTM(2)]).predict(np.array([["a"]]), verbose=0)
    small = Sequential([_vectorization(), layers.Embedding(5, 2), layers.LSTM(2)])
    small.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"'embedding.* must hold ids in \[0, 5\)"):
        small.fit(TEXTS, np.zeros((100, 2)), verbose=0)
    with pytest.raises(ValueError, match=r"takes strings, as of `Input\(shape=\(1,\), dtype="):
        TextVectorization()(Input((1,)))
    empty = Sequential([TextVectorization(), layers.Embedding(5, 2), layers.LSTM(2)])
    empty.compile("sgd", "mse")
    with pytest.raises(ValueError, match="has no vocabulary yet"):
        empty.fit(TEXTS, np.zeros((100, 2)), verbose=0)
    for own, same in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(own, same)


def test_export_names_what_it_cannot_do(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    model = _model("with Input")
    with pytest.raises(ValueError, match="A model of texts cannot be exported to ONNX"):
        model.export(tmp_path / "model.onnx", format="onnx")
    Sequential([Input((6,)), *model.layers[1:]]).export(tmp_path / "model.onnx", format="onnx")
