"""Processes that keep cores busy, as other users of a shared machine do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Ends by itself if the parent is gone, however that ended.
PROGRAM = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(100_000):
        pass
"""


@contextmanager
def busy_processes(count: int, threads: int) -> Iterator[list[int]]:
    """Runs so many busy processes, on the cores that the systems are bound to; ends them at exit.

    Args:
        count: Number of processes.
        threads: Number of cores that each system may use (see `worker.main`).

    Yields:
        Their process ids.
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            command = [sys.executable, "-S", "-c", PROGRAM, str(os.getpid())]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
            processes.append(process)
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:threads])
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
