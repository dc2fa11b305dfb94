"""Heaps of strings in an HDF5 file through which HDF5 itself would walk for ever."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest
from fastrnn.files import heaps
from fastrnn.saving import InvalidFileError
from support.saved_models import small_model

SIGNATURE = b"GCOL\x01\0\0\0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An `.h5` file whose strings stand in a heap, as older h5py and Keras 2 wrote them."""
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as opened:
        names = ["one", "three"]
        opened.attrs.create("layer_names", names, dtype=h5py.string_dtype())
    return path


def free_space(data: bytes) -> int:
    """Where the last object of the heap stands, the free space."""
    at = data.index(SIGNATURE) + 16
    while index := int.from_bytes(data[at : at + 2], "little"):
        assert index < 100
        at += 16 + (int.from_bytes(data[at + 8 : at + 16], "little") + 7) // 8 * 8
    return at


@pytest.mark.parametrize("size", [0, 8, 1 << 40, 1 << 63])
def test_a_heap_without_end(file: Path, size: int) -> None:
    data = bytearray(file.read_bytes())
    at = free_space(data) + 8
    data[at : at + 8] = size.to_bytes(8, "little")
    file.write_bytes(data)
    with pytest.raises(InvalidFileError, match=r"model\.h5.*heap of strings"):
        small_model().load_weights(file)


@pytest.mark.parametrize("chunk", [1 << 24, 2057, 100, 9])
def test_heaps_are_found_however_a_file_is_read(
    file: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = file.read_bytes().index(SIGNATURE)
    monkeypatch.setattr(heaps, "_CHUNK", chunk)
    with file.open("rb") as stream:
        assert list(heaps._places(stream)) == [place]
        heaps.check_heaps(stream)
