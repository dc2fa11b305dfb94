"""Times the training step of one rank and of all ranks in turns; `mpiexec` starts it.

    mpiexec -n 2 python -m measure.rank_worker '{"workload": "imdb-300", ...}'

The first rank prints JSON: milliseconds of each turn, and the bytes that it sends in a step.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import fastrnn
from comparison import data
from comparison.keras_style import layers_of
from comparison.workloads import WORKLOADS, Workload
from fastrnn import distribution, parallel
from fastrnn.callbacks import Callback


class Clock(Callback):
    """Notes how long the steps of an epoch took."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts."""
        self.begin, self.cpu_begin = time.perf_counter(), computing_seconds()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stops."""
        self.seconds = time.perf_counter() - self.begin
        self.cpu_seconds = computing_seconds() - self.cpu_begin


waiting = 0.0  # seconds of CPU time


def computing_seconds() -> float:
    """CPU time of this process so far, without what its waits for other ranks took."""
    return time.process_time() - waiting


def count_waits(ranks: Any) -> None:
    """Lets `computing_seconds` leave out the waits of these ranks."""
    wait = ranks._wait

    def counted(is_complete: Any, what: str) -> None:
        global waiting
        begin = time.process_time()
        try:
            wait(is_complete, what)
        finally:
            waiting += time.process_time() - begin

    ranks._wait = counted


def model_of(workload: Workload, cell: str) -> fastrnn.Sequential:
    """The compiled model of a workload."""
    fastrnn.utils.set_random_seed(1)
    model = fastrnn.Sequential(layers_of(fastrnn.layers, workload.layers(cell)))
    model.compile(
        fastrnn.optimizers.Adam(workload.learning_rate), workload.loss, metrics=[workload.metric]
    )
    return model


def ms_per_step(
    model: fastrnn.Sequential, x: Any, y: Any, batch: int, steps: int
) -> tuple[float, float]:
    """Milliseconds of wall and of CPU time of a step, of batches in the order of the samples."""
    clock = Clock()
    rows = steps * batch
    model.fit(x[:rows], y[:rows], batch_size=batch, shuffle=False, verbose=0, callbacks=[clock])
    return 1000 * clock.seconds / steps, 1000 * clock.cpu_seconds / steps


def main() -> None:
    """Runs what the JSON in the command line says."""
    options = json.loads(sys.argv[1])
    workload = WORKLOADS[options["workload"]]
    steps, turns, groups = options["steps"], options["turns"], options["groups"]
    arrays = data.load(workload.data, options["data"], train=steps * workload.batch, test=1)
    distribution.initialize()
    whole = distribution.DataParallel()._job
    alone = parallel.Ranks()
    everyone = f"{whole.ranks.size} ranks"
    ways = {
        "no distribution": None,
        "1 rank": parallel.Job(alone, 1),
        everyone: whole,
        f"1 rank, {groups} groups": parallel.Job(alone, groups),
        f"{everyone}, {groups} groups": parallel.Job(whole.ranks, groups),
    }
    models = {name: model_of(workload, options["cell"]) for name in ways}
    count_waits(whole.ranks)
    times: dict[str, list[float]] = {name: [] for name in ways}
    cpu_times: dict[str, list[float]] = {name: [] for name in ways}
    sent: dict[str, float] = {}
    for turn in range(turns + 1):  # the first warms up
        for name, job in ways.items():
            whole.ranks.gather(0)  # a rank that does not take part waits here
            if whole.ranks.rank and (job is None or job.ranks is alone):
                continue
            parallel.set_current(job)
            before = whole.ranks.bytes_sent
            x, y = arrays.x_train, arrays.y_train
            ms, cpu_ms = ms_per_step(models[name], x, y, workload.batch, steps)
            sent[name] = (whole.ranks.bytes_sent - before) / steps
            if turn:
                times[name].append(ms)
                cpu_times[name].append(cpu_ms)
    parallel.set_current(None)
    if not whole.ranks.rank:
        print(json.dumps({"ms": times, "cpu_ms": cpu_times, "sent": sent, "source": arrays.source}))


if __name__ == "__main__":
    main()
