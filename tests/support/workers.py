"""`pytest` alone runs all tests, and on all CPUs, so that nobody waits for them."""

from __future__ import annotations

import os

import pytest

MOST_WORKERS = 8  # each may import TensorFlow, which takes memory


def usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_whole_run(config: pytest.Config) -> None:
    """Set xdist's `-n` and `--dist` where the command names neither tests nor workers.

    Not for who wants to watch a process, by a debugger or by what it prints.
    """
    option = config.option
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    watched = option.usepdb or option.trace or option.capture == "no"
    # No such option: without xdist, pytest runs as ever.
    free = getattr(option, "numprocesses", 0) is None and option.dist == "no" and not option.tx
    is_worker = hasattr(config, "workerinput")
    cpus = min(usable_cpus(), MOST_WORKERS)
    if whole and free and not watched and not is_worker and cpus > 1:
        option.numprocesses = cpus
        option.dist = "worksteal"
        # A test's threads run beside those of the other workers: whoever waits shall not spin.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
