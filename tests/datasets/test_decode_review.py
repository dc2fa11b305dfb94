"""Tokens become the words that they came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn.datasets import imdb
from fastrnn.utils import pad_sequences

WORDS = {"the": 1, "film": 2, "was": 3, "good": 4, "dull": 5}


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ranks = [[1, 2, 3, 4], [1, 2, 3, 5, 2]]
    reviews = np.empty(2, dtype=object)
    reviews[:] = ranks
    labels = np.array([1, 0])
    np.savez(tmp_path / "imdb.npz", x_train=reviews, y_train=labels, x_test=reviews, y_test=labels)
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(WORDS))
    monkeypatch.setenv("FASTRNN_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [{}, {"index_from": 7, "start_char": 4, "oov_char": 5}, {"index_from": 0, "start_char": None}],
    ids=str,
)
def test_it_inverts_load_data(arguments: dict[str, Any], data_folder: Path) -> None:
    (x_train, _), _ = imdb.load_data(num_words=100, **arguments)
    if arguments.get("index_from") == 0:
        arguments = {**arguments, "oov_char": None}
    found = {imdb.decode_review(review, **arguments) for review in x_train}
    want = {"the film was good", "the film was dull film"}
    if arguments.get("start_char", 1) is not None:
        want = {"<START> " + review for review in want}
    assert found == want


def test_special_tokens() -> None:
    (padded,) = pad_sequences([[1, 4, 2, 900, 7]], maxlen=6)
    assert imdb.decode_review(padded, word_index=WORDS) == "<PAD> <START> the <UNK> <UNK> good"
    assert imdb.decode_review([], word_index=WORDS) == ""


def test_another_folder_has_other_words(
    data_folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert imdb.decode_review([4]) == "the"
    folder = tmp_path_factory.mktemp("other")
    (folder / "imdb_word_index.json").write_text('{"le": 1}')
    monkeypatch.setenv("FASTRNN_DATA", str(folder))
    assert imdb.decode_review([4]) == "le"


def test_public_words(imdb_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTRNN_DATA", str(imdb_folder))
    words = imdb.decode_review([1, 14, 22, 16, 43, 530])
    assert words == "<START> this film was just brilliant"


@pytest.mark.parametrize("sequence", [[[1, 2]], [-1, 3], [0.5], "review", 3])
def test_refused(sequence: Any) -> None:
    with pytest.raises(ValueError, match=r"`sequence` must be a list of integers.*Received"):
        imdb.decode_review(sequence, word_index=WORDS)
