"""The process of one system: reads commands as lines of JSON, answers each with one line.

Each system has a process of its own: a process has one Keras backend, one setting of its thread
pools and one peak of memory. Between commands it waits for its standard input and uses no CPU;
`idle_cpu_seconds` of each answer proves it. An error ends the process: the parent shows its
traceback, leaves the system out of the table and goes on with the others.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from comparison.data import open_saved, samples_of
from comparison.systems import SYSTEMS
from comparison.trainee import Plan, Trainee
from comparison.weights import load_weights, save_weights


def peak_memory_mb() -> float:
    """Largest resident size of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss: a new process inherits its parent's.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def forget_peak_memory() -> None:
    """Starts the peak anew at the present size, where the system can (Linux)."""
    switch = Path("/proc/self/clear_refs")
    if switch.exists():
        with suppress(OSError):
            switch.write_text("5")


class Worker:
    """Carries out the commands for one system."""

    def __init__(self, system: str, threads: int) -> None:
        self.system = SYSTEMS[system]
        self.threads = threads
        self.plan: Plan | None = None
        self.model: Trainee | None = None
        self.position = 0

    def load(self) -> dict[str, Any]:
        """Imports the packages, which takes some of them many seconds."""
        for package in self.system.packages:
            __import__(package)
        return {}

    def prepare(self, folder: str, weights: str, **settings: Any) -> dict[str, Any]:
        """Builds a model, in place of the one before, and gives it its initial weights."""
        self.model, self.position = None, 0
        gc.collect()
        forget_peak_memory()
        self.plan = Plan(
            data=open_saved(Path(folder)), weights=load_weights(Path(weights)), **settings
        )
        self.model = self.system.start(self.plan, self.threads)
        return {}

    def run(self, steps: int) -> dict[str, Any]:
        """Trains on the next batches of the training set, starting over at its end."""
        batch = self.plan.batch
        usable = samples_of(self.plan.data["x_train"]) // batch * batch
        rows = np.arange(self.position, self.position + steps * batch) % usable
        self.position += steps * batch
        return {**self.model.train(rows)._asdict(), "peak_mb": peak_memory_mb()}

    def evaluate(self, batch: int) -> dict[str, Any]:
        """Loss and metric on the test set."""
        loss, metric = self.model.evaluate(batch)
        return {"loss": loss, "metric": metric}

    def predict(self, first: int, count: int, batch: int, path: str) -> dict[str, Any]:
        """Predicts so many samples of the test set in batches; writes the outputs."""
        done = self.model.predict(self._test_samples(first, count), batch)
        np.save(path, done.outputs)
        return {"seconds": done.seconds}

    def predict_each(self, first: int, count: int, path: str) -> dict[str, Any]:
        """Predicts so many samples of the test set, each in a call of its own."""
        x = self._test_samples(first, count)
        seconds, outputs = [], []
        for number in range(count):
            start = time.perf_counter()
            outputs.append(self.model.predict_one(x[number : number + 1]))
            seconds.append(time.perf_counter() - start)
        np.save(path, np.concatenate(outputs))
        return {"seconds": seconds}

    def _test_samples(self, first: int, count: int) -> np.ndarray:
        return np.array(self.plan.data["x_test"][first : first + count])

    def weights(self, path: str) -> dict[str, Any]:
        """Writes the weights in Keras's layout."""
        save_weights(self.model.weights(), Path(path))
        return {}


def serve(worker: Worker, commands: TextIO, answers: TextIO) -> None:
    """Answers commands until `quit` or the end of the input."""
    busy_until = time.process_time()
    for line in commands:
        idle_cpu = time.process_time() - busy_until
        request = json.loads(line)
        command = request.pop("command")
        if command == "quit":
            # Not `return`: some packages take seconds to tidy up what the system frees anyway.
            os._exit(0)
        answer = getattr(worker, command)(**request)
        busy_until = time.process_time()
        print(json.dumps({**answer, "idle_cpu_seconds": idle_cpu}), file=answers, flush=True)


def main() -> None:
    """Entry of the worker process: `python -m comparison.worker SYSTEM THREADS`."""
    system, threads = sys.argv[1], int(sys.argv[2])
    # Some packages print on standard output; the answers keep it for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if hasattr(os, "sched_setaffinity"):
        # The one limit on threads that every package obeys.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    serve(Worker(system, threads), sys.stdin, answers)


if __name__ == "__main__":
    main()
