"""The restricted unpickler builds lists and arrays of numbers, and runs nothing."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn.datasets.npz import read_npz

HEADER = {"descr": "|O", "fortran_order": False, "shape": (1,)}


def write(path: Path, payload: bytes, header: dict[str, Any] = HEADER) -> Path:
    """An .npz whose only array announces objects and goes on with `payload`."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", file.getvalue() + payload)
    return path


class Calls:
    """Pickles as the call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def flag(tmp_path: Path) -> Path:
    """What a payload would make if it ran."""
    return tmp_path / "was_here"


def inside_an_array(item: Any) -> np.ndarray:
    array = np.empty(1, dtype=object)
    array[0] = item
    return array


FUNCTIONS = {
    "os.system": lambda mark: Calls(os.system, f"touch {mark}"),
    "subprocess": lambda mark: Calls(subprocess.call, ["touch", str(mark)]),
    "open": lambda mark: Calls(open, str(mark), "w"),
    "eval": lambda mark: Calls(eval, f"open({str(mark)!r}, 'w')"),
    "getattr": lambda mark: Calls(getattr, Calls(__import__, "os"), "system"),
    "numpy.save": lambda mark: Calls(np.save, str(mark), 0),
    "numpy.load": lambda mark: Calls(np.load, str(mark), None, True),
    "numpy.fromfile": lambda mark: Calls(np.fromfile, str(mark)),
    "numpy.memmap": lambda mark: Calls(np.memmap, str(mark), "u1", "w+", 0, 8),
    "numpy.array": lambda mark: Calls(np.array, [1]),
    "bytearray": lambda mark: Calls(bytearray, 10),
    "Path": lambda mark: mark,
}


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("make", FUNCTIONS.values(), ids=FUNCTIONS)
def test_calls_are_refused(make: Any, protocol: int, tmp_path: Path) -> None:
    for payload in (make(flag(tmp_path)), inside_an_array([make(flag(tmp_path))])):
        path = write(tmp_path / "a.npz", pickle.dumps(payload, protocol))
        with pytest.raises(ValueError, match="not safe to read: refused to unpickle"):
            read_npz(path)
        assert not flag(tmp_path).exists()


def global_(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


RECONSTRUCT = global_("numpy.core.multiarray", "_reconstruct")
NDARRAY = global_("numpy", "ndarray")
DTYPE = global_("numpy", "dtype")
SCALAR = global_("numpy.core.multiarray", "scalar")
ARRAY = RECONSTRUCT + b"(" + NDARRAY + b"(I0\ntS'b'\ntR"
OBJECTS = DTYPE + b"(S'O8'\nI0\nI1\ntR"
INTS = DTYPE + b"(S'i8'\nI0\nI1\ntR"


FORGED = {
    "an allowed name as a method": global_("numpy.core.multiarray", "_reconstruct.__globals__"),
    "a dotted class": global_("numpy", "ndarray.tofile"),
    "a stand-in as the result": NDARRAY,
    "an instance of a stand-in": b"(i" + b"numpy\nndarray\n",
    "new of a stand-in": NDARRAY + b")\x81",
    "an attribute set on a stand-in": NDARRAY + b"}S'__call__'\nI1\nsb",
    "a slot set on a stand-in": RECONSTRUCT + b"(N}S'__call__'\nI1\nstb",
    "a class of the array that is none": RECONSTRUCT + b"(I3\n(I0\ntS'b'\ntR",
    "an array without state": ARRAY,
    "a state that is no tuple": ARRAY + b"I3\nb",
    "a shape that does not match": ARRAY + b"(I1\n(I5\nt" + OBJECTS + b"I0\n(ltb",
    "a negative shape": ARRAY + b"(I1\n(I-1\nt" + OBJECTS + b"I0\n(I7\nltb",
    "objects from bytes": ARRAY + b"(I1\n(I1\nt" + OBJECTS + b"I0\nS'12345678'\ntb",
    "numbers from a list": ARRAY + b"(I1\n(I1\nt" + INTS + b"I0\n(I7\nltb",
    "numbers from too few bytes": ARRAY + b"(I1\n(I9\nt" + INTS + b"I0\nS'12345678'\ntb",
    "a structured dtype": ARRAY
    + b"(I1\n(I1\nt"
    + OBJECTS
    + b"(I3\nS'|'\nN(S'a'\nt}I-1\nI-1\nI0\ntbI0\n(I7\nltb",
    "a dtype by a long name": ARRAY + b"(I1\n(I1\nt" + DTYPE + b"(S'O8,O8'\nI0\nI1\ntRI0\n(I7\nltb",
    "a scalar that is an object": SCALAR + b"(" + OBJECTS + b"S'12345678'\ntR",
    "a scalar of one byte": SCALAR + b"(" + INTS + b"S'1'\ntR",
    "a number": b"I7\n",
    "a persistent id": b"Pfile\n",
    "an extension": b"\x82\x01",
    "nothing": b"",
}


@pytest.mark.parametrize("payload", FORGED.values(), ids=FORGED)
def test_forged_streams_are_refused(payload: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="damaged or not safe"):
        read_npz(write(tmp_path / "a.npz", payload + b"."))
    # Nothing that one file did may help the next.
    good = pickle.dumps(inside_an_array([1, 2]), 4)
    assert read_npz(write(tmp_path / "b.npz", good))["x"].tolist() == [[1, 2]]


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_what_numpy_writes_is_read(protocol: int, tmp_path: Path) -> None:
    reviews = np.empty(4, dtype=object)
    reviews[0], reviews[1], reviews[2] = [1, 70000, 2**40], [], list(range(300))
    reviews[3] = reviews[2]
    path = write(tmp_path / "a.npz", pickle.dumps(reviews, protocol), {**HEADER, "shape": (4,)})
    got = read_npz(path)["x"]
    assert type(got) is np.ndarray
    assert got.tolist() == reviews.tolist()


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_and_scalars_as_elements(protocol: int, tmp_path: Path) -> None:
    items = np.empty(3, dtype=object)
    items[0] = np.array([1, 2], dtype=">i4")
    items[1] = [np.int64(7), np.float32(0.5), np.bool_(True)]
    items[2] = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    path = write(tmp_path / "a.npz", pickle.dumps(items, protocol), {**HEADER, "shape": (3,)})
    got = read_npz(path)["x"]
    np.testing.assert_array_equal(got[0], [1, 2])
    assert got[1] == [7, 0.5, True]
    np.testing.assert_array_equal(got[2], items[2])


def test_what_python_2_wrote_is_read(tmp_path: Path) -> None:
    dtype = OBJECTS + b"(I3\nS'|'\nNNNI-1\nI-1\nI63\ntb"
    stream = ARRAY + b"(I1\n(I1\nt" + dtype + b"I00\n(l(lI7\naI8\naatb."
    assert read_npz(write(tmp_path / "a.npz", stream))["x"].tolist() == [[7, 8]]
    numbers = ARRAY + b"(I1\n(I1\nt" + INTS + b"I00\nS'\\x07\\0\\0\\0\\0\\0\\0\\0'\ntb"
    stream = ARRAY + b"(I1\n(I1\nt" + dtype + b"I00\n(l" + numbers + b"atb."
    assert read_npz(write(tmp_path / "a.npz", stream))["x"][0].tolist() == [7]


def test_savez_with_and_without_compression(tmp_path: Path) -> None:
    reviews = inside_an_array([3, 1])
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", x=reviews, y=np.arange(5, dtype=np.int16))
        got = read_npz(tmp_path / "a.npz")
        assert got["x"].tolist() == [[3, 1]]
        assert got["y"].dtype == np.int16
        np.testing.assert_array_equal(got["y"], range(5))


def test_truncated_anywhere(tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", x=inside_an_array([3, 1]), y=np.arange(5))
    good = (tmp_path / "good.npz").read_bytes()
    bad = tmp_path / "bad.npz"
    for length in range(0, len(good), 7):
        bad.write_bytes(good[:length])
        with pytest.raises(ValueError, match="damaged or not safe"):
            read_npz(bad)


def test_changed_contents(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", y=np.arange(5))
    good = bytearray((tmp_path / "a.npz").read_bytes())
    good[180] ^= 1
    (tmp_path / "a.npz").write_bytes(good)
    with pytest.raises(ValueError, match="damaged or not safe"):
        read_npz(tmp_path / "a.npz")


def test_headers_are_no_code(tmp_path: Path) -> None:
    header = b"{'descr': __import__('os').system('true'), 'shape': (), 'fortran_order': False}\n"
    npy = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", npy)
    with pytest.raises(ValueError, match="damaged or not safe"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "shape",
    [b"(", b"(" * 300, b"\0", b"(9999999999999,)", b"'(2,)f4'"],
    ids=["open", "deep", "zero byte", "huge", "text"],
)
def test_headers_are_headers(shape: bytes, tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'shape': %s, 'fortran_order': False}\n" % shape
    npy = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", npy)
    with pytest.raises(ValueError, match="damaged or not safe"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "dtype", ["<U9", "S4", "V16", "M8[s]", [("a", "f4")], [("a", "O")]], ids=str
)
def test_arrays_of_other_things(dtype: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros(3, dtype))
    with pytest.raises(ValueError, match=r"damaged or not safe.*numbers or lists"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "review", ["words", [1.5], ["a"], [None], 7, [[1]], {1: 2}, {3}, None, [2**40]], ids=str
)
def test_other_contents_are_no_reviews(review: Any, tmp_path: Path) -> None:
    from fastrnn.datasets import imdb

    x = inside_an_array(review)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=[0], x_test=x, y_test=[0])
    with pytest.raises(ValueError, match=r"a\.npz"):
        imdb.load_data(tmp_path / "a.npz")


@pytest.mark.parametrize("labels", [[], [0, 1], 0, [[0]]], ids=str)
def test_a_label_for_each_review(labels: Any, tmp_path: Path) -> None:
    from fastrnn.datasets import imdb

    x = inside_an_array([1, 2])
    np.savez(tmp_path / "a.npz", x_train=x, y_train=labels, x_test=x, y_test=[0])
    with pytest.raises(ValueError, match=r"a\.npz.*label"):
        imdb.load_data(tmp_path / "a.npz")


def test_arrays_that_are_missing(tmp_path: Path) -> None:
    from fastrnn.datasets import imdb

    np.savez(tmp_path / "a.npz", x_train=inside_an_array([1]), y_train=[0])
    with pytest.raises(ValueError, match="no array 'x_test'"):
        imdb.load_data(tmp_path / "a.npz")
