"""Uses an installed fastrnn as a newcomer would: `python -I wheel_trial.py [module before|after]`.

Run by `wheels.py` in an environment with fastrnn and what it depends on, and nothing else but the
named module, whose threads and OpenMP must not disturb.
"""

from __future__ import annotations

import hashlib
import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np


def work_of(name: str) -> Any:
    """Import another library, and return a function that keeps its threads busy."""
    module = importlib.import_module(name)
    if name == "torch":
        return lambda: module.nn.LSTM(8, 64)(module.ones(20, 64, 8))[0].sum().backward()
    if name == "sklearn":
        cluster = importlib.import_module("sklearn.cluster")
        return lambda: cluster.KMeans(3, n_init=1).fit(np.random.default_rng(0).random((5000, 8)))
    return lambda: None


def libraries(name: str) -> set[str]:
    """Return the files of a library that are in this process's memory."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if line.count("/")}
    return {path for path in paths if name in Path(path).name}


def trained(threads: int) -> tuple[str, Any, np.ndarray]:
    """Train a model; return the hash of its weights, the model and its input."""
    import fastrnn
    from fastrnn import layers

    fastrnn.set_num_threads(threads)
    fastrnn.utils.set_random_seed(1)
    x = np.random.default_rng(0).integers(1, 50, (256, 20))
    model = fastrnn.Sequential(
        [
            layers.Embedding(50, 16),
            layers.Bidirectional(layers.LSTM(32, return_sequences=True)),
            layers.GRU(24),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, x[:, :1] % 2, epochs=2, verbose=0)
    bits = b"".join(weight.tobytes() for weight in model.get_weights())
    return hashlib.sha256(bits).hexdigest(), model, x


def main() -> None:
    """Import, train with any number of threads, save and load."""
    name, order = (*sys.argv[1:], "", "")[:2]
    work = work_of(name) if order == "before" else lambda: None
    work()
    import fastrnn

    assert Path(fastrnn.__file__).is_relative_to(sys.prefix), fastrnn.__file__
    assert not [tool for tool in ("cc", "c++", "gcc", "g++", "clang") if shutil.which(tool)]
    want, model, x = trained(1)
    if order == "after":
        work = work_of(name)
    for threads in (2, 4):
        work()
        assert trained(threads)[0] == want, f"{threads} threads give other bits"
    work()
    with tempfile.TemporaryDirectory() as folder:
        for end in ("keras", "h5"):
            model.save(f"{folder}/model.{end}")
            again = fastrnn.models.load_model(f"{folder}/model.{end}")
            np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert any("fastrnn.libs" in path for path in libraries("libgomp")), libraries("libgomp")


if __name__ == "__main__":
    main()
