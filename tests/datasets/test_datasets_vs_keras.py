"""Data sets give Keras's very arrays, and are downloaded from where Keras says."""

from __future__ import annotations

import gzip
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn.datasets import boston_housing, california_housing, fashion_mnist, mnist, reuters


@pytest.fixture
def theirs(keras: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of Keras that reads a file of a folder in place of a download."""

    def module(name: str, folder: Path, asked: list[Any] | None = None) -> Any:
        found = importlib.import_module(f"keras.src.datasets.{name}")

        def get_file(fname: str, origin: str, file_hash: str | None = None, **_: Any) -> str:
            if asked is not None:
                asked.append((origin, file_hash))
            return str(folder / fname)

        monkeypatch.setattr(found, "get_file", get_file)
        return found

    return module


def assert_same(got: Any, want: Any) -> None:
    for pair, wanted in zip(got, want, strict=True):
        for array, expected in zip(pair, wanted, strict=True):
            assert array.dtype == expected.dtype
            assert array.shape == expected.shape
            assert array.tolist() == expected.tolist()


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"num_words": 100, "skip_top": 20, "maxlen": 40, "test_split": 0.31},
        {"start_char": None, "seed": 7},
        {"start_char": None, "index_from": None, "num_words": 50, "oov_char": None},
        {"start_char": 500, "index_from": 10, "maxlen": 30, "oov_char": 7, "test_split": 0.1},
        {"start_char": 500, "num_words": 100, "oov_char": None, "skip_top": 3},
    ],
    ids=str,
)
def test_reuters(
    arguments: dict[str, Any], tmp_path: Path, rng: np.random.Generator, theirs: Any
) -> None:
    texts = np.empty(90, dtype=object)
    for i in range(90):
        texts[i] = np.minimum(rng.zipf(1.3, rng.integers(3, 60)), 200).tolist()
    np.savez(tmp_path / "reuters.npz", x=texts, y=rng.integers(0, 46, 90))
    want = theirs("reuters", tmp_path).load_data(**arguments)
    assert_same(reuters.load_data(tmp_path / "reuters.npz", **arguments), want)


@pytest.mark.parametrize(
    ("ours", "arguments"),
    [
        (boston_housing, {}),
        (boston_housing, {"test_split": 0.37, "seed": 5}),
        (california_housing, {}),
        (california_housing, {"version": "small", "test_split": 0.0, "seed": 2}),
    ],
)
def test_houses(
    ours: ModuleType,
    arguments: dict[str, Any],
    tmp_path: Path,
    rng: np.random.Generator,
    theirs: Any,
) -> None:
    name = ours.__name__.rpartition(".")[2]
    np.savez(tmp_path / f"{name}.npz", x=rng.random((701, 4)), y=rng.random(701))
    want = theirs(name, tmp_path).load_data(**arguments)
    assert_same(ours.load_data(path=tmp_path / f"{name}.npz", **arguments), want)


def test_clothes(
    tmp_path: Path, rng: np.random.Generator, theirs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for part, count in (("train", 7), ("t10k", 4)):
        for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            header = b"\0\0\x08" + bytes([len(shape)]) + np.array(shape, ">u4").tobytes()
            content = header + rng.integers(0, 256, shape, np.uint8).tobytes()
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    monkeypatch.setenv("FASTRNN_DATA", str(tmp_path))
    assert_same(fashion_mnist.load_data(), theirs("fashion_mnist", folder).load_data())


def test_files_and_hashes(tmp_path: Path, theirs: Any) -> None:
    asked: list[Any] = []
    for name in ("mnist", "boston_housing", "california_housing", "reuters"):
        module = theirs(name, tmp_path, asked)
        with pytest.raises(FileNotFoundError):
            module.load_data()
    with pytest.raises(FileNotFoundError):
        theirs("reuters", tmp_path, asked).get_word_index()
    ours = (
        mnist.DIGITS,
        boston_housing.HOUSES,
        california_housing.DISTRICTS,
        reuters.NEWS,
        reuters.WORD_INDEX,
    )
    assert [(file.url, file.digest) for file in ours] == asked


def test_topics(theirs: Any, tmp_path: Path) -> None:
    assert reuters.get_label_names() == theirs("reuters", tmp_path).get_label_names()
