"""Data sets that are arrays, from small files: which samples go where, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn.datasets import boston_housing, california_housing, fashion_mnist, mnist


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FASTRNN_DATA", str(tmp_path))
    return tmp_path


def put_digits(folder: Path, **changed: Any) -> dict[str, np.ndarray]:
    images = np.arange(10 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(10, 28, 28)
    labels = np.arange(10, dtype=np.uint8)
    arrays = {
        "x_train": images[:6], "y_train": labels[:6], "x_test": images[6:], "y_test": labels[6:]
    } | changed  # fmt: skip
    np.savez(folder / "mnist.npz", **arrays)
    return arrays


def test_digits(folder: Path) -> None:
    arrays = put_digits(folder)
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    for name, got in zip(arrays, (x_train, y_train, x_test, y_test), strict=True):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, arrays[name])
    np.testing.assert_array_equal(mnist.load_data(folder / "mnist.npz")[1][1], y_test)


def test_damaged_digits_are_refused(folder: Path) -> None:
    put_digits(folder, y_test=np.zeros(3, np.uint8))
    with pytest.raises(ValueError, match=r"label for each sample.*\(4, 28, 28\), \(3,\)"):
        mnist.load_data()
    np.savez(folder / "mnist.npz", x_train=np.zeros((1, 28, 28)))
    with pytest.raises(ValueError, match=r"must hold the arrays.*no \['y_train', 'x_test'"):
        mnist.load_data()
    (folder / "mnist.npz").write_bytes(b"PK\3\4 no archive")
    with pytest.raises(ValueError, match="damaged or not safe"):
        mnist.load_data()


IMAGES = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)
LABELS = np.array([9, 0, 4, 2, 7], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return (
        b"\0\0\x08" + bytes([array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    )


def put_clothes(folder: Path) -> Path:
    inside = folder / "fashion-mnist"
    inside.mkdir()
    for part, images, labels in (
        ("train", IMAGES[:3], LABELS[:3]),
        ("t10k", IMAGES[3:], LABELS[3:]),
    ):
        (inside / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (inside / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return inside


def test_clothes(folder: Path) -> None:
    put_clothes(folder)
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    np.testing.assert_array_equal(x_train, IMAGES[:3])
    np.testing.assert_array_equal(y_train, LABELS[:3])
    np.testing.assert_array_equal(x_test, IMAGES[3:])
    np.testing.assert_array_equal(y_test, LABELS[3:])
    x_train[0] = y_train[0] = 0  # not read-only


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(idx(IMAGES))[:-12], "is damaged"),
        (b"no gzip", "is damaged"),
        (gzip.compress(b"\0\0\x0d" + idx(IMAGES)[3:]), "does not begin as an IDX file"),
        (gzip.compress(b"\0\0"), "does not begin as an IDX file"),
        (gzip.compress(idx(IMAGES)[:10]), "does not begin as an IDX file"),
        (gzip.compress(idx(IMAGES)[:-1]), r"must hold \(5, 2, 3\) bytes, and has 29"),
        (gzip.compress(idx(IMAGES) + b"\0"), r"must hold \(5, 2, 3\) bytes, and has 31"),
        (gzip.compress(b"\0\0\x08\4" + b"\xff" * 16 + b"\0"), r"must hold \(4294967295, "),
        (gzip.compress(idx(IMAGES)), "a label for each"),
    ],
    # Not the content: it holds the second at which it was compressed, and each worker has its own.
    ids=["cut", "text", "float32", "short", "no_data", "byte_less", "byte_more", "huge", "alone"],
)  # fmt: skip
def test_damaged_clothes_are_refused(folder: Path, content: bytes, message: str) -> None:
    inside = put_clothes(folder)
    (inside / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        fashion_mnist.load_data()


@pytest.fixture
def houses(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.arange(700 * 3.0).reshape(700, 3), np.arange(700.0) + 0.5
    for name in ("boston_housing", "california_housing"):
        np.savez(folder / f"{name}.npz", x=x, y=y)
    return x, y


@pytest.mark.parametrize("module", [boston_housing, california_housing])
@pytest.mark.parametrize("test_split", [0.2, 0.0, 0.37])
def test_houses_are_shuffled_and_split(
    houses: tuple[np.ndarray, np.ndarray], module: Any, test_split: float
) -> None:
    (x_train, y_train), (x_test, y_test) = module.load_data(test_split=test_split, seed=5)
    assert len(y_train) == int(700 * (1 - test_split))
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    np.testing.assert_array_equal(x[:, 0], 3 * (y - 0.5))
    assert sorted(y) == sorted(houses[1])
    assert y.tolist() != sorted(y)
    other = module.load_data(test_split=test_split, seed=6)[0][1]
    assert other.tolist() != y_train.tolist()


def test_small_california(houses: tuple[np.ndarray, np.ndarray]) -> None:
    (_, y_train), (_, y_test) = california_housing.load_data("small")
    assert sorted([*y_train, *y_test]) == sorted(houses[1][:600])
    with pytest.raises(ValueError, match=r"`version` must be .*'tiny'"):
        california_housing.load_data("tiny")


@pytest.mark.parametrize("module", [boston_housing, california_housing])
@pytest.mark.parametrize("test_split", [1, -0.1, 1.5])
def test_a_split_outside_its_range_is_refused(module: Any, test_split: float) -> None:
    with pytest.raises(ValueError, match=r"`test_split` must be in \[0, 1\)\. Received"):
        module.load_data(test_split=test_split)
