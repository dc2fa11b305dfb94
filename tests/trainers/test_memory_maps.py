"""Memory maps of any dtype are converted batch by batch."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from fastrnn import layers, models
from fastrnn.callbacks import LambdaCallback

MEGABYTE = 1 << 20


def own_memory() -> int:
    """Return the bytes of this process that no file backs, now; map pages do not count."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status)[1]) * 1024  # type: ignore[index]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_a_large_map_trains_in_flat_memory(dtype: str, tmp_path: Path) -> None:
    shape = (400, 20_000)  # 64 MB
    x = np.memmap(tmp_path / "x", dtype, "w+", shape=shape)
    x[:, ::500] = 3
    first = [layers.Embedding(4, 1)] if dtype == "int64" else [layers.Reshape((20_000, 1))]
    model = models.Sequential([*first, layers.GlobalAveragePooling1D(), layers.Dense(1)])
    model.compile("sgd", "mse")
    y = np.zeros((400, 1), np.float32)
    model.fit(x[:8], y[:8], batch_size=4, verbose=0)
    model.predict(x[:8], batch_size=4, verbose=0)
    before, most = own_memory(), [0]

    def look(*args: object) -> None:
        most[0] = max(most[0], own_memory())

    watch = LambdaCallback(on_train_batch_end=look)
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[watch], validation_split=0.25)
    assert most[0] - before < 16 * MEGABYTE


def test_a_bad_token_is_found_before_training(tmp_path: Path) -> None:
    x = np.memmap(tmp_path / "x", "int64", "w+", shape=(50, 4))
    x[49, 3] = 9
    model = models.Sequential([layers.Embedding(9, 2), layers.GRU(2), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="id 9"):
        model.fit(x, np.zeros(50), batch_size=5, verbose=0)
    assert not model.built
