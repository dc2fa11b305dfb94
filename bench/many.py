"""Times 32 small models: one after another, at the same time, and in processes by joblib.

python bench/many.py            # with the peers that are installed: some minutes
python bench/many.py --quick    # 4 models, one turn

Keras traces each model anew, which takes longer than this training. So it takes part in one turn
alone, and its table has a second column without that time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

KINDS = (("SimpleRNN", 6), ("LSTM", 16), ("LSTM", 50))
SAMPLES, STEPS, BATCH = 640, 50, 32
KERAS = "joblib, Keras"

Way = Callable[[str, int, int, int], float | None]
"""Trains models of a cell and its units for some epochs; returns the seconds of preparations."""


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return univariate series and their sums."""
    x = np.random.default_rng(0).normal(size=(SAMPLES, STEPS, 1)).astype(np.float32)
    return x, x.sum(axis=(1, 2))[:, np.newaxis]


def make(cell: str, units: int) -> Any:
    """Return a compiled model of fastrnn."""
    import fastrnn

    model = fastrnn.Sequential([getattr(fastrnn.layers, cell)(units), fastrnn.layers.Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    return model


def train_fastrnn(cell: str, units: int, epochs: int) -> None:
    """Train a model with one thread, in a process of its own."""
    import fastrnn

    fastrnn.set_num_threads(1)
    make(cell, units).fit(*data(), batch_size=BATCH, epochs=epochs, verbose=0)


def train_keras(cell: str, units: int, epochs: int) -> float:
    """Train the model of Keras with one thread; return the seconds before its second step."""
    import keras
    import tensorflow as tf

    if not train_keras.__dict__.setdefault("limited", False):  # once per process
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        train_keras.__dict__["limited"] = True
    begin = time.perf_counter()
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: ends.append(time.perf_counter())
    )
    model = keras.Sequential([getattr(keras.layers, cell)(units), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    model.fit(*data(), batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[clock])
    return ends[0] - begin


def train_torch(cell: str, units: int, epochs: int) -> None:
    """Train the model of PyTorch with one thread, denormals flushed."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rnn = (nn.RNN if cell == "SimpleRNN" else nn.LSTM)(1, units, batch_first=True)
    head = nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()])
    x, y = map(torch.from_numpy, data())
    for _ in range(epochs):
        for batch in torch.randperm(SAMPLES).split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(head(rnn(x[batch])[0][:, -1]), y[batch])
            loss.backward()
            optimizer.step()


def one_after_another(cell: str, units: int, models: int, epochs: int) -> None:
    """Train by `fit`, each with all threads."""
    for _ in range(models):
        make(cell, units).fit(*data(), batch_size=BATCH, epochs=epochs, verbose=0)


def at_the_same_time(cell: str, units: int, models: int, epochs: int) -> None:
    """Train by `fit_many`."""
    import fastrnn

    made = [make(cell, units) for _ in range(models)]
    fastrnn.fit_many(made, *data(), batch_size=BATCH, epochs=epochs, verbose=0)


def in_processes(train: Callable[[str, int, int], float | None]) -> Way:
    """Return what trains by joblib, in processes that live on from one call to the next."""
    from joblib import Parallel, delayed

    def run(cell: str, units: int, models: int, epochs: int) -> float:
        jobs = (delayed(train)(cell, units, epochs) for _ in range(models))
        processes = len(os.sched_getaffinity(0))
        preparations = Parallel(n_jobs=processes)(jobs)
        return sum(each or 0.0 for each in preparations) / processes

    return run


def end_processes() -> None:
    """End the processes of joblib."""
    try:
        from joblib.externals.loky import get_reusable_executor
    except ImportError:
        return
    get_reusable_executor().shutdown(wait=True)


def ways() -> dict[str, Way]:
    """Return the ways to train that can be tried here."""
    found: dict[str, Way] = {"fit": one_after_another, "fit_many": at_the_same_time}
    for name, library, train in (
        ("joblib, fastrnn", "fastrnn", train_fastrnn),
        ("joblib, PyTorch", "torch", train_torch),
        (KERAS, "keras", train_keras),
    ):
        try:
            __import__(library)
            found[name] = in_processes(train)
        except ImportError:
            print(f"{library} or joblib is not installed: left out")
    return found


def main() -> None:
    """Print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="4 models, one turn, one epoch")
    options = parser.parse_args()
    if options.quick:
        options.models, options.epochs, options.turns = 4, 1, 1
    found = ways()
    steps = options.models * options.epochs * (SAMPLES // BATCH)
    print(f"{options.models} models, ms per step of one model (wall time / {steps} steps)")
    names = [*found, *(["Keras, steps alone"] if KERAS in found else [])]
    medians: dict[tuple[str, Any], float] = {}
    for name, run in found.items():
        # One way after the other: joblib ends a process whose memory has grown by an import.
        end_processes()
        for kind in KINDS:
            run(*kind, len(os.sched_getaffinity(0)), 1)  # starts processes and imports
            seconds, alone = [], []
            for _ in range(1 if name == KERAS else options.turns):
                begin = time.perf_counter()
                preparations = run(*kind, options.models, options.epochs)
                seconds.append(time.perf_counter() - begin)
                alone.append(seconds[-1] - (preparations or 0.0))
            medians[name, kind] = 1000 * statistics.median(seconds) / steps
            if name == KERAS:
                medians[names[-1], kind] = 1000 * statistics.median(alone) / steps
    print(f"{'model':14}" + "".join(f"{name:>20}" for name in names))
    for kind in KINDS:
        cells = "".join(f"{medians[name, kind]:20.3f}" for name in names)
        print(f"{kind[0]} {kind[1]:<10}".ljust(14) + cells)


if __name__ == "__main__":
    main()
