"""Pictures of clothes (Xiao et al., 2017) in the form of MNIST, with labels from 0 to 9.

The labels stand for T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and ankle
boot.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from fastrnn.datasets.cache import locate
from fastrnn.datasets.splitting import Split
from fastrnn.files.download import PublicFile

# The authors' own folder, to which their published hashes belong.
_ORIGIN = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
FILES = {
    name: PublicFile(_ORIGIN + name, digest)
    for name, digest in (
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    )
}
_MOST_BYTES = 2**28
"""More than any of the files holds: a damaged one must not fill the memory."""


def load_data() -> tuple[Split, Split]:
    """Load the pictures: 60,000 to train with and 10,000 to test with.

    The four files are searched as `fastrnn.datasets.cache.locate` says, in the folder
    `fashion-mnist` there.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `x` is a uint8 array [samples, 28, 28] of gray
        values from 0 to 255, `y` a uint8 array of labels from 0 to 9.

    Raises:
        ValueError: If a file is damaged.
        OSError: If a file has to be downloaded and that fails.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    return _load("train"), _load("t10k")


def _load(part: str) -> Split:
    images, labels = (f"{part}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1"))
    x, y = (_read_idx(locate(name, FILES[name], "fashion-mnist")) for name in (images, labels))
    if x.ndim != 3 or y.ndim != 1 or len(x) != len(y):
        raise ValueError(
            f"`{images}` and `{labels}` must hold pictures and a label for each. "
            f"Received: shapes {x.shape}, {y.shape}"
        )
    return x, y


def _read_idx(file: Path) -> np.ndarray:
    """Read an array of bytes in IDX format.

    That is 0, 0, 8 (for bytes), the number of dimensions, the sizes as big-endian uint32, the data.
    """
    try:
        with gzip.open(file) as unpacked:
            content = unpacked.read(_MOST_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"`{file}` is damaged: {error}") from error
    header, dimensions = content[:3], content[3] if len(content) > 3 else 0
    start = 4 + 4 * dimensions
    if header != b"\0\0\x08" or not dimensions or len(content) < start:
        raise ValueError(f"`{file}` is damaged: it does not begin as an IDX file of bytes")
    shape = tuple(np.frombuffer(content, ">u4", dimensions, 4).tolist())
    array = np.frombuffer(content, np.uint8, offset=start)
    if array.size != np.prod(shape, dtype=object):
        raise ValueError(f"`{file}` is damaged: it must hold {shape} bytes, and has {array.size}")
    return array.reshape(shape).copy()  # not read-only
