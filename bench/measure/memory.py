"""Memory that training takes, each measurement in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass

import fastrnn
from comparison.worker import forget_peak_memory, peak_memory_mb

from measure.problems import Problem
from measure.recording import Recorder

FIRST_STEPS = 5


@dataclass(frozen=True)
class Memory:
    """What a few training steps took.

    Args:
        tape_mb: What forward leaves for backward.
        resident_mb: Growth of the process's largest resident size by training.
        later_mb: Its growth by all further steps.
    """

    tape_mb: float
    resident_mb: float
    later_mb: float


def _measure(problem: Problem, threads: int, steps: int) -> Memory:
    """Runs in a new process, whose memory is this problem's alone."""
    fastrnn.set_num_threads(threads)
    model, (x, y) = problem.model(), problem.data()
    forget_peak_memory()
    before = peak_memory_mb()
    with Recorder() as recorder:
        model.train_on_batch(x, y)
    for _ in range(FIRST_STEPS - 1):
        model.train_on_batch(x, y)
    first = peak_memory_mb()
    for _ in range(steps - FIRST_STEPS):
        model.train_on_batch(x, y)
    tapes = sum(noted.tape_bytes for noted in recorder.recurrent)
    return Memory(tapes / 2**20, first - before, peak_memory_mb() - first)


def measure(problems: Sequence[Problem], threads: int, steps: int = FIRST_STEPS) -> list[Memory]:
    """Trains each problem for some steps in a new process.

    Args:
        problems: What is trained.
        threads: Threads of the kernels.
        steps: Training steps, at least `FIRST_STEPS`.
    """
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        tasks = [(problem, threads, steps) for problem in problems]
        return pool.starmap(_measure, tasks, chunksize=1)
