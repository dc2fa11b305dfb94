"""Many small models at once: seeds, settings, folds, one model per series."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, TypeVar

from fastrnn import parallel, random
from fastrnn.arguments import is_integer
from fastrnn.callbacks import Callback, History
from fastrnn.config import get_num_threads, set_num_threads
from fastrnn.models import Model

T = TypeVar("T")


def fit_many(
    models: Sequence[Model],
    x: Any = None,
    y: Any = None,
    *,
    each: Sequence[Mapping[str, Any]] | None = None,
    seeds: Sequence[int] | None = None,
    workers: int | None = None,
    verbose: int | str = "auto",
    **arguments: Any,
) -> list[History]:
    """Train several models at the same time, one thread for each of them.

    The threads of a single small model spend much of their time waiting for each other. Here each
    core has a model of its own. The results are, to the last bit, those of::

        fastrnn.utils.set_random_seed(seeds[k])
        models[k].fit(x, y, **arguments, **each[k])

    Data that the models share are not copied. For many models that share few cores, or for several
    machines, use processes: models can be pickled.

    Args:
        models: Compiled models. None may stand twice, nor share layers with another.
        x: Inputs as in `Model.fit`, for all models; no generator, which would be shared.
        y: Targets for all models.
        each: For each model a dict of arguments of `Model.fit` that are its own: `callbacks`,
            `sample_weight` (a fold), `x` and `y` (a series), `batch_size`, `epochs`.
        seeds: For each model the seed of its shuffling; drawn if not given. Weights and dropout
            have the seeds that they drew when the model was made.
        workers: How many models are trained at a time; the number of threads if not given.
        verbose: 0 for silence; else a bar counts the epochs of all models.
        arguments: Further arguments of `Model.fit` for all models. Callbacks are not among them:
            each model needs its own, since they have state.

    Returns:
        The histories, in the order of the models.

    Raises:
        ValueError: If a model stands twice, the lengths of the lists differ, `callbacks` are
            given for all models, or several processes train together (`set_distribution`).
        Exception: What `fit` raised for the first of the models that failed. The others are
            stopped after their step, and so they are by Ctrl-C.

    Example:
        >>> import numpy as np
        >>> import fastrnn
        >>> from fastrnn import layers
        >>> x, y = np.random.default_rng(0).normal(size=(32, 10, 1)), np.ones(32)
        >>> models = [
        ...     fastrnn.Sequential([layers.LSTM(units), layers.Dense(1)]) for units in (4, 8, 16)
        ... ]
        >>> for model in models:
        ...     model.compile(loss="mse", optimizer="adam")
        >>> histories = fastrnn.fit_many(models, x, y, epochs=2, seeds=[1, 2, 3], verbose=0)
        >>> [len(history.history["loss"]) for history in histories]
        [2, 2, 2]
    """
    models = list(models)
    own = _one_for_each("each", each, len(models), dict)
    chosen = _one_for_each("seeds", seeds, len(models), random.make_seed)
    _check(models, chosen, workers, arguments)
    given = [{"x": x, "y": y, "verbose": 0, **arguments, **mine} for mine in own]
    stop = threading.Event()
    workers = workers or get_num_threads()
    with _bar(given, verbose) as bar, _calls_of_one_thread():

        def train(number: int) -> History:
            mine = given[number]
            watch = _Watch(stop, bar)
            with random.own_generator(chosen[number]):
                return models[number].fit(
                    **{**mine, "callbacks": [*(mine.get("callbacks") or ()), watch]}
                )

        with ThreadPoolExecutor(workers) as pool:
            runs = [pool.submit(train, number) for number in range(len(models))]
            try:
                for run in as_completed(runs):
                    run.result()
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
    return [run.result() for run in runs]


class _StoppedError(Exception):
    """Ends the training of a model because another failed."""


class _Watch(Callback):
    """Ends a training where another failed, and counts its epochs."""

    def __init__(self, stop: threading.Event, bar: Any) -> None:
        super().__init__()
        self._stop = stop
        self._bar = bar

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._stop.is_set():
            raise _StoppedError

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._bar is not None:
            self._bar.update()


@contextmanager
def _bar(given: Sequence[Mapping[str, Any]], verbose: int | str) -> Iterator[Any]:
    """Show a bar of all epochs; with early stopping it ends early."""
    if verbose == 0:
        yield None
        return
    from tqdm.auto import tqdm  # takes longer to import than the rest of the package

    epochs = sum(mine.get("epochs", 1) - mine.get("initial_epoch", 0) for mine in given)
    with tqdm(total=epochs, unit="epoch", desc=f"{len(given)} models", file=sys.stdout) as bar:
        yield bar


@contextmanager
def _calls_of_one_thread() -> Iterator[None]:
    before = get_num_threads()
    set_num_threads(1)
    try:
        yield
    finally:
        set_num_threads(before)


def _one_for_each(
    name: str, given: Sequence[T] | None, count: int, make: Callable[[], T]
) -> list[T]:
    if given is None:
        return [make() for _ in range(count)]
    if len(given) != count:
        raise ValueError(
            f"`{name}` must have one entry for each of the {count} models. "
            f"Received: {len(given)} entries"
        )
    return list(given)


def _check(
    models: Sequence[Model],
    seeds: Sequence[Any],
    workers: Any,
    arguments: Mapping[str, Any],
) -> None:
    if workers is not None and not (is_integer(workers) and workers > 0):
        raise ValueError(f"`workers` must be a positive integer or None. Received: {workers!r}")
    for seed in seeds:
        if not (is_integer(seed) and 0 <= seed < 2**32):
            raise ValueError(f"`seeds` must be integers in [0, 2**32 - 1]. Received: {seed!r}")
    job = parallel.current()
    if job is not None and job.ranks.size > 1:
        raise ValueError(
            "`fit_many` trains each model in one process, so that no distribution over several "
            f"may be set. Received: a distribution over {job.ranks.size} processes"
        )
    if "callbacks" in arguments:
        raise ValueError(
            "`callbacks` must be given for each model, in `each`: they have state. "
            f"Received: callbacks={arguments['callbacks']!r}"
        )
    owners: dict[int, int] = {}
    for number, model in enumerate(models):
        parts: list[Any] = [model, *model.layers, *model.weights]
        for part in parts:
            owner = owners.setdefault(id(part), number)
            if owner != number:
                raise ValueError(
                    "Models that are trained at the same time must not share layers or weights. "
                    f"Received: models[{owner}] and models[{number}] share '{part.name}'"
                )
