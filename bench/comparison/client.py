"""The parent's end of a worker process."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from comparison.systems import SYSTEMS

BENCH = Path(__file__).resolve().parent.parent
ANSWER_TIMEOUT = 1800.0  # seconds
QUIT_TIMEOUT = 10.0
LOG_LINES = 15


class WorkerError(RuntimeError):
    """A worker that failed, ended or gave no answer."""


class Worker:
    """A process that trains one system, commanded over a pipe.

    Args:
        system: A key of `SYSTEMS`.
        threads: Cores that the process may use.
        log: An open file for what the process writes on its standard error.
    """

    def __init__(self, system: str, threads: int, log: TextIO) -> None:
        self.idle_cpu_seconds = self.idle_seconds = 0.0
        count = str(threads)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": count,
            "MKL_NUM_THREADS": count,
            "FASTRNN_NUM_THREADS": count,
            "TF_NUM_INTRAOP_THREADS": count,
            "TF_NUM_INTEROP_THREADS": count,
            "CUDA_VISIBLE_DEVICES": "-1",
            "PYTHONPATH": os.pathsep.join(
                filter(None, (str(BENCH), os.environ.get("PYTHONPATH", "")))
            ),
            **SYSTEMS[system].environment,
        }
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", "comparison.worker", system, count],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=environment,
        )
        self._answered = time.perf_counter()

    def send(self, command: str, **arguments: Any) -> None:
        """Gives a command without waiting for its answer."""
        self.idle_seconds += time.perf_counter() - self._answered
        try:
            self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerError(self._last_words()) from None

    def receive(self) -> dict[str, Any]:
        """Waits for the answer to the last command."""
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_TIMEOUT)
        line = self._process.stdout.readline() if ready else ""
        self._answered = time.perf_counter()
        if not line:
            self._process.kill()  # a late answer must not be taken for that of the next command
            silence = f"no answer in {ANSWER_TIMEOUT:.0f} s"
            raise WorkerError(self._last_words() if ready else silence)
        answer = json.loads(line)
        self.idle_cpu_seconds += answer.pop("idle_cpu_seconds")
        return answer

    def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Gives a command and waits for its answer."""
        self.send(command, **arguments)
        return self.receive()

    def _last_words(self) -> str:
        """What an ended process wrote last: the line that names its error, then what led to it."""
        self._log.seek(0)
        lines = self._log.read().splitlines() or ["its process ended without a word"]
        return "\n".join((lines[-1], *lines[-LOG_LINES:-1]))

    def close(self) -> None:
        """Ends the process."""
        with suppress(WorkerError):
            self.send("quit")
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(QUIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@contextmanager
def start_workers(systems: Sequence[str], threads: int) -> Iterator[dict[str, Worker]]:
    """A worker for each system, with its packages imported; ends them at exit.

    Args:
        systems: Keys of `SYSTEMS`.
        threads: Cores that each worker may use.

    Yields:
        The workers by system. One that failed says so at its next command.
    """
    with ExitStack() as stack:
        workers = {}
        for name in systems:
            log = stack.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
            workers[name] = stack.enter_context(closing(Worker(name, threads, log)))
        # The imports of all run side by side; nothing is timed yet.
        for worker in workers.values():
            worker.send("load")
        for worker in workers.values():
            with suppress(WorkerError):
                worker.receive()
        yield workers
