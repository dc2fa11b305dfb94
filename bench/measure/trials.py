"""Training steps of several problems, timed by turns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import fastrnn
import numpy as np

from measure.problems import Problem

MOST_STEPS = 50  # in a turn


@dataclass(frozen=True)
class Trial:
    """A problem, and the number of threads that train it."""

    problem: Problem
    threads: int


def step_seconds(trials: Sequence[Trial], rounds: int, turn_seconds: float) -> list[float]:
    """Times training steps, a turn of each trial after the other, round after round.

    So whatever disturbs the machine for a while disturbs all of them.

    Args:
        trials: What is timed.
        rounds: Turns of each trial.
        turn_seconds: About how long a turn takes; it is one step at least.

    Returns:
        Seconds of a training step for each trial: the mean of its fastest turn. The work is the
        same in each; what else the machine does can only add to it.
    """
    models = [trial.problem.model() for trial in trials]
    batches = [trial.problem.data() for trial in trials]

    def turn(index: int, steps: int) -> float:
        fastrnn.set_num_threads(trials[index].threads)
        begin = time.perf_counter()
        for _ in range(steps):
            models[index].train_on_batch(*batches[index])
        return (time.perf_counter() - begin) / steps

    before = fastrnn.get_num_threads()
    try:
        turn_steps = []
        for index in range(len(trials)):
            turn(index, 1)  # the first step makes what the others find made
            taken = turn(index, 2)
            turn_steps.append(max(1, min(MOST_STEPS, round(turn_seconds / taken))))
        seconds = [
            [turn(index, steps) for index, steps in enumerate(turn_steps)] for _ in range(rounds)
        ]
    finally:
        fastrnn.set_num_threads(before)
    return [float(fastest) for fastest in np.min(seconds, axis=0)]
