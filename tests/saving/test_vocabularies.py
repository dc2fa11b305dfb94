"""Vocabularies in files, copies and clones."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import Input, Model, Sequential, layers
from fastrnn.files.errors import InvalidFileError
from fastrnn.layers import StringLookup, TextVectorization
from fastrnn.models import clone_model, load_model
from fastrnn.utils import set_random_seed

TEXTS = ["a good film, süß", "bad\u00a0film", "a plot\nand a film", ""]
NEW = [*TEXTS, "good good zzz film"]

ARGUMENTS: list[dict[str, Any]] = [
    {"output_sequence_length": 5},
    {"max_tokens": 4, "ngrams": (1, 2)},
    {"split": "character", "standardize": None},  # with line breaks among the tokens
    {"output_mode": "multi_hot"},
    {"output_mode": "count", "max_tokens": 20, "pad_to_max_tokens": True},
    {"output_mode": "tf_idf"},
    {"output_mode": "tf_idf", "max_tokens": 20, "pad_to_max_tokens": True},
    {"output_mode": "tf_idf", "split": "character", "standardize": None},
    {"vocabulary": ["film", "good"]},
    {"vocabulary": ["film", "good"], "idf_weights": [0.5, 2.0], "output_mode": "tf_idf"},
]


def text_model(arguments: dict[str, Any], functional: bool = True) -> Model:
    """Return a model of texts, trained a little."""
    set_random_seed(7)
    vectorize = TextVectorization(**arguments)
    if "vocabulary" not in arguments:
        vectorize.adapt(TEXTS)
    body: list[layers.Layer] = [layers.Dense(2)]
    if vectorize.output_mode == "int":
        body = [layers.Embedding(30, 3, mask_zero=True), layers.GRU(3), *body]
    if functional:
        text = Input((1,), dtype="string")
        made = vectorize(text)
        for layer in body:
            made = layer(made)
        model = Model(text, made)
    else:
        model = Sequential([Sequential([vectorize]), *body])
    model.compile("adam", "mse")
    model.fit(TEXTS, np.ones((4, 2)), verbose=0)
    return model


def assert_goes_on(model: Model, twin: Model) -> None:
    """Both predict the same bits, and go on training to the same bits."""
    np.testing.assert_array_equal(twin.predict(NEW, verbose=0), model.predict(NEW, verbose=0))
    losses = [each.train_on_batch(NEW, np.ones((5, 2))) for each in (model, twin)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("functional", [True, False])
@pytest.mark.parametrize("end", [".keras", ".h5"])
@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_a_file_has_the_vocabulary(
    arguments: dict[str, Any], end: str, functional: bool, tmp_path: Path
) -> None:
    model = text_model(arguments, functional)
    path = tmp_path / f"model{end}"
    model.save(path)
    twin = load_model(path)
    assert_goes_on(model, twin)
    twin.save(path)
    assert_goes_on(model, load_model(path))


def test_files_of_keras_have_a_token_per_line(tmp_path: Path) -> None:
    text_model({"output_sequence_length": 4}).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        names = [name for name in archive.namelist() if name.startswith("assets/")]
        assert names == [
            "assets/layers/text_vectorization/vocabulary.txt",
            "assets/layers/text_vectorization/_lookup_layer/vocabulary.txt",
        ]
        for name in names:
            lines = archive.read(name).decode().split("\n")
            assert lines[:4] == ["", "[UNK]", "a", "film"]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_clones_have_the_vocabulary_and_new_weights(arguments: dict[str, Any]) -> None:
    for functional in (True, False):
        model = text_model(arguments, functional)
        twin = clone_model(model)
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(twin.predict(NEW, verbose=0), model.predict(NEW, verbose=0))
        layer = _vectorization(twin)
        if "vocabulary" in arguments:
            with pytest.raises(ValueError, match="was made with a `vocabulary`"):
                layer.adapt(["new"])
        else:
            before = _vectorization(model).get_vocabulary()
            layer.adapt(["x y"])
            assert set(layer.get_vocabulary(False)) <= {"y", " ", "x", "x y"}
            assert _vectorization(model).get_vocabulary() == before


def _vectorization(model: Model) -> TextVectorization:
    first = model.layers[0]
    found = first.layers[0] if isinstance(first, Model) else model.layers[1]
    assert isinstance(found, TextVectorization)
    return found


def test_weights_files_have_the_weights_of_tokens(tmp_path: Path) -> None:
    model = text_model({"output_mode": "tf_idf"})
    model.save_weights(tmp_path / "model.weights.h5")
    model.save(tmp_path / "model.keras")
    for name in ("model.weights.h5", "model.keras"):
        other = text_model({"output_mode": "tf_idf"})
        layer = _vectorization(other)
        size = len(layer.get_vocabulary())
        layer.set_vocabulary(layer.get_vocabulary(), np.ones(size))
        assert not np.array_equal(other.predict(NEW, verbose=0), model.predict(NEW, verbose=0))
        other.load_weights(tmp_path / name)
        np.testing.assert_array_equal(other.predict(NEW, verbose=0), model.predict(NEW, verbose=0))


def test_strings_for_numbers_in_a_file(tmp_path: Path) -> None:
    number = Input((3,), dtype="int64")
    back = StringLookup(vocabulary=["b", "a"], invert=True, mask_token="")
    model = Model(number, back(number))
    model.save(tmp_path / "model.keras")
    found = load_model(tmp_path / "model.keras").predict([[0, 3, 2]], verbose=0)
    assert found.tolist() == [[b"", b"a", b"b"]]


def _changed(path: Path, change: Any) -> None:
    """Write an archive anew with other contents of its members, None to leave one out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if (new := change(name, content)) is not None:
                archive.writestr(name, new)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: None, "the vocabulary of a layer is missing"),
        (lambda content: content + b"\nmore", "must have 9 tokens in lines of their own"),
        (lambda content: content.replace(b"[UNK]", b"unk"), "the first ones"),
        (lambda content: content.replace(b"\nplot", b"\ngood"), "must be different"),
        (lambda content: content.replace(b"s", b"\xff"), "codec can't decode"),
    ],
)
def test_damaged_vocabularies(change: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    text_model({}).save(path)
    _changed(path, lambda name, content: change(content) if "assets" in name else content)
    with pytest.raises(InvalidFileError, match=message) as caught:
        load_model(path)
    assert "assets/layers/text_vectorization/vocabulary.txt" in str(caught.value)


def test_files_from_windows(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = text_model({})
    model.save(path)
    _changed(
        path,
        lambda name, content: content.replace(b"\n", b"\r\n") if "assets" in name else content,
    )
    assert_goes_on(model, load_model(path))


def test_a_layer_without_vocabulary(tmp_path: Path) -> None:
    """It is saved as it is, and learns its vocabulary after loading."""
    model = Sequential([Input((1,), dtype="string"), TextVectorization(), layers.Embedding(9, 2)])
    model.save(tmp_path / "model.keras")
    twin = load_model(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="has no vocabulary yet"):
        twin.predict(TEXTS, verbose=0)
    twin.layers[0].adapt(["a b"])
    assert twin.predict(["b"], verbose=0).shape == (1, 1, 2)


def test_functions_of_the_user_are_handed_over(tmp_path: Path) -> None:
    def by_commas(texts: np.ndarray) -> list[list[str]]:
        return [text.split(",") for text in texts.tolist()]

    vectorize = TextVectorization(split=by_commas, standardize=lambda texts: np.char.upper(texts))
    vectorize.adapt(["a,b"])
    model = Sequential([vectorize, layers.Embedding(9, 2), layers.LSTM(2)])
    expected = model.predict(["b,a", "c"], verbose=0)
    for end in (".keras", ".h5"):
        path = tmp_path / f"model{end}"
        model.save(path)
        with pytest.raises(
            InvalidFileError, match=r"A function that a file names must be handed over"
        ):
            load_model(path)
        known = {"by_commas": by_commas, "standardize": lambda texts: np.char.upper(texts)}
        twin = load_model(path, custom_objects=known)
        np.testing.assert_array_equal(twin.predict(["b,a", "c"], verbose=0), expected)
    assert fastrnn.models.clone_model(model).layers[0].split is by_commas
