"""Reading `.npz` files that hold pickled object arrays, without trusting them.

NumPy stores an array of lists as a pickle, and a pickle can run any code. Here the unpickler
never gets hold of a real function or class: the four names that such an array needs stand for
objects of this module, which check their arguments before they make an array. Every other name
is refused.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

_ELEMENT_CODES = frozenset(
    ("O8", "O4", "b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")
)


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an `.npz` file.

    Args:
        path: The file.

    Returns:
        The arrays by name.

    Raises:
        ValueError: If the file is damaged, or holds anything but numbers and lists of numbers.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name.removesuffix(".npy"): _read_npy(io.BytesIO(archive.read(name)))
                for name in archive.namelist()
                if name.endswith(".npy")
            }
    except OSError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy's reader of headers raise many kinds
        raise ValueError(f"`{path}` is damaged or not safe to read: {error}") from error


def _read_npy(file: io.BytesIO) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise ValueError(f"the version of an array must be 1.0 or 2.0. Received: {version}")
    shape, _, dtype = read_header(file)
    if dtype.kind not in "biufcO":
        raise ValueError(f"an array must hold numbers or lists. Received: dtype={dtype}")
    if not dtype.hasobject:
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    try:
        loaded = _RestrictedUnpickler(file).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # A forged stream can make the unpickler raise anything.
        raise pickle.UnpicklingError(f"the pickle is malformed: {error!r}") from error
    array = loaded.array if isinstance(loaded, _Array) else None
    if array is None or array.shape != shape:
        raise ValueError(f"an array of shape {shape} is announced but not there")
    return array


class _RestrictedUnpickler(pickle.Unpickler):
    """Builds lists, numbers and arrays of them, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module.replace("numpy.core.", "numpy._core."), name]
        except KeyError:
            _refuse(f"it asks for `{module}.{name}`")


# The stand-ins have no attributes that a pickle's BUILD could set (`__slots__` is empty or its
# entries are checked in `__setstate__`), and being no classes they cannot be instantiated.


class _ArrayType:
    """Stands for the class `numpy.ndarray`, an argument of `_reconstruct`."""

    __slots__ = ()


class _Dtype:
    """A dtype in the making: first its code such as `"i8"`, then its byte order."""

    __slots__ = ("dtype",)

    def __init__(self, code: str) -> None:
        self.dtype: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        # (version, byte order, then what only structured and sub-array dtypes have).
        if not isinstance(state, tuple) or len(state) < 5 or state[2:5] != (None, None, None):
            _refuse("a dtype is more than a number or an object")
        order = _text(state[1])
        if order not in ("<", ">", "|", "="):
            _refuse(f"{order!r} is not a byte order")
        if order == ">":
            self.dtype = self.dtype.newbyteorder(">")


class _DtypeFunction:
    """Stands for `numpy.dtype`."""

    __slots__ = ()

    def __call__(self, code: Any, *flags: Any) -> _Dtype:
        code = _text(code)
        if code not in _ELEMENT_CODES:
            _refuse(f"{code!r} is not a number or an object")
        return _Dtype(code)


class _Array:
    """An array in the making; its state brings shape, dtype and contents."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], _Dtype):
            _refuse("an array has a malformed state")
        _, shape, element, in_fortran_order, contents = state
        if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
            _refuse(f"{shape!r} is not a shape")
        dtype = element.dtype
        if dtype.hasobject:
            if not isinstance(contents, list):
                _refuse("an object array has no list of contents")
            flat = np.empty(len(contents), dtype=object)
            # One by one: NumPy would merge lists of equal length into a matrix.
            for i, item in enumerate(contents):
                if not isinstance(item, (list, _Array, int, float)):
                    _refuse(f"it holds a {type(item).__name__}")
                flat[i] = item.array if isinstance(item, _Array) else item
        else:
            if isinstance(contents, str):
                contents = contents.encode("latin-1")
            if not isinstance(contents, (bytes, bytearray)):
                _refuse("an array of numbers has no bytes")
            flat = np.frombuffer(contents, dtype=dtype).astype(dtype.newbyteorder("="))
        self.array = flat.reshape(shape, order="F" if in_fortran_order else "C")


class _Reconstruct:
    """Stands for `numpy._core.multiarray._reconstruct`, which makes an empty array."""

    __slots__ = ()

    def __call__(self, cls: Any, shape: Any, code: Any) -> _Array:
        if not isinstance(cls, _ArrayType):
            _refuse("an array is of a class other than `numpy.ndarray`")
        return _Array()


class _Scalar:
    """Stands for `numpy._core.multiarray.scalar`, which makes one number."""

    __slots__ = ()

    def __call__(self, element: Any, contents: Any) -> int | float | bool:
        if not isinstance(element, _Dtype) or element.dtype.hasobject:
            _refuse("a scalar is not a number")
        if isinstance(contents, str):
            contents = contents.encode("latin-1")
        number: int | float | bool = np.frombuffer(contents, element.dtype, count=1)[0].item()
        return number


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ArrayType(),
    ("numpy", "dtype"): _DtypeFunction(),
    ("numpy._core.multiarray", "_reconstruct"): _Reconstruct(),
    ("numpy._core.multiarray", "scalar"): _Scalar(),
}


def _text(value: Any) -> str:
    """Return a string that Python 2 may have pickled as bytes."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _refuse(reason: str) -> NoReturn:
    raise pickle.UnpicklingError(f"refused to unpickle it, because {reason}")
