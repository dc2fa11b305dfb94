"""Busy processes run while they are wanted, on the cores of the systems, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from comparison.busy import busy_processes

BENCH = Path(__file__).resolve().parents[2] / "bench"


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def wait_for(condition: Callable[[], bool]) -> bool:
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_they_use_the_systems_cores_and_end() -> None:
    own = sorted(os.sched_getaffinity(0))
    with busy_processes(2, threads=1) as found:
        assert len(found) == 2
        for pid in found:
            assert os.sched_getaffinity(pid) == {own[0]}
            assert wait_for(lambda pid=pid: cpu_ticks(pid) > 5)
    assert not any(is_alive(pid) for pid in found)
    with busy_processes(0, threads=1) as found:
        assert found == []


def test_they_end_when_the_run_fails() -> None:
    found: list[int] = []

    def fail() -> None:
        with busy_processes(1, threads=1) as started:
            found.extend(started)
            raise RuntimeError("the run failed")

    with pytest.raises(RuntimeError, match="the run failed"):
        fail()
    assert len(found) == 1
    assert not is_alive(found[0])


def test_they_end_when_the_run_is_killed() -> None:
    code = (
        "import time\nfrom comparison.busy import busy_processes\n"
        "with busy_processes(1, threads=1) as found:\n"
        "    print(*found, flush=True)\n    time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(BENCH)},
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert is_alive(pid)
        run.send_signal(signal.SIGKILL)
    assert wait_for(lambda: not is_alive(pid))
