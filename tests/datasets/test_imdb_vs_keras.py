"""`load_data` and `get_word_index` give Keras's very lists, from real and from made-up reviews."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn.datasets import imdb

ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"num_words": 100},
    {"num_words": 100, "skip_top": 20, "maxlen": 40},
    {"start_char": None},
    {"start_char": None, "index_from": 0, "num_words": 50, "oov_char": None},
    {"start_char": None, "index_from": None, "maxlen": 30},
    {"oov_char": None, "num_words": 60, "skip_top": 3},
    {"seed": 1, "index_from": 10, "start_char": 5, "oov_char": 7, "num_words": 70, "skip_top": 8},
    {"start_char": 500, "num_words": 0},
    {"start_char": 500, "num_words": 100, "oov_char": None},
    {"num_words": 100, "maxlen": 0},
]


def lists_of(rng: np.random.Generator, count: int) -> np.ndarray:
    reviews = np.empty(count, dtype=object)
    for i in range(count):
        reviews[i] = np.minimum(rng.zipf(1.3, rng.integers(3, 60)), 200).tolist()
    return reviews


@pytest.fixture
def made_up(tmp_path: Path, rng: np.random.Generator) -> Path:
    path = tmp_path / "imdb.npz"
    np.savez(
        path,
        x_train=lists_of(rng, 70),
        y_train=rng.integers(0, 2, 70),
        x_test=lists_of(rng, 50),
        y_test=rng.integers(0, 2, 50),
    )
    return path


@pytest.fixture
def keras_imdb(keras: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Keras's `load_data` on a given file, in place of the one that it would download."""

    def load(path: Path, **arguments: Any) -> Any:
        module = importlib.import_module("keras.src.datasets.imdb")
        monkeypatch.setattr(module, "get_file", lambda **_: str(path))
        return module.load_data(**arguments)

    return load


def assert_same(got: Any, want: Any) -> None:
    for (x, y), (want_x, want_y) in zip(got, want, strict=True):
        assert x.dtype == want_x.dtype == object
        assert x.shape == want_x.shape
        assert x.tolist() == want_x.tolist()
        assert all(type(review) is list for review in x)
        assert {type(token) for review in x[:100] for token in review} == {int}
        assert y.dtype == want_y.dtype
        np.testing.assert_array_equal(y, want_y)


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_made_up_reviews(arguments: dict[str, Any], made_up: Path, keras_imdb: Any) -> None:
    assert_same(imdb.load_data(made_up, **arguments), keras_imdb(made_up, **arguments))


def test_real_reviews(imdb_folder: Path, keras_imdb: Any) -> None:
    arguments = {"num_words": 10000}  # made-up reviews have the others
    got = imdb.load_data(**arguments)  # The fixture has made sure that $FASTRNN_DATA is set.
    assert_same(got, keras_imdb(imdb_folder / "imdb.npz", **arguments))


def test_word_index(imdb_folder: Path) -> None:
    index = imdb.get_word_index()
    assert index == json.loads((imdb_folder / "imdb_word_index.json").read_text())
    (_, _), (x_test, _) = imdb.load_data(num_words=1000, maxlen=60)
    words = {rank + 3: word for word, rank in index.items()}
    assert all(token in words for review in x_test for token in review if token > 2)


def test_equal_tokens_are_one_object(made_up: Path) -> None:
    """Millions of tokens take the memory of their vocabulary."""
    (x_train, _), _ = imdb.load_data(made_up, index_from=1000)
    by_value: dict[int, set[int]] = {}
    for review in x_train:
        for token in review:
            by_value.setdefault(token, set()).add(id(token))
    assert max(map(len, by_value.values())) == 1


def test_reviews_of_equal_length_make_a_matrix_as_in_keras(tmp_path: Path, keras_imdb: Any) -> None:
    path = tmp_path / "equal.npz"
    x = np.empty(2, dtype=object)
    x[0], x[1] = [4, 5], [6, 7]
    np.savez(path, x_train=x, y_train=[0, 1], x_test=x, y_test=[0, 1])
    (got, _), _ = imdb.load_data(path)
    (want, _), _ = keras_imdb(path)
    assert got.shape == want.shape == (2, 3)
    np.testing.assert_array_equal(got, want)


def test_maxlen_that_leaves_nothing(made_up: Path) -> None:
    with pytest.raises(ValueError, match=r"`maxlen` must leave reviews.*Received: maxlen=2"):
        imdb.load_data(made_up, maxlen=2)
