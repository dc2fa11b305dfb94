"""How systems take turns: a task in one, then in the next, round after round."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping

from comparison.client import Worker, WorkerError
from comparison.outcome import AnyOutcome

LEAST_ROUNDS = 2
SETTLE = 0.05  # seconds between two systems, for the thread pools of the last one to fall asleep


def in_turn(
    workers: Mapping[str, Worker],
    results: Mapping[str, AnyOutcome],
    task: Callable[[Worker, AnyOutcome], None],
) -> None:
    """Does the task in each system that has not failed, one after the other.

    Args:
        workers: The workers by system.
        results: Their results by system, in the order of the turns. That of a worker which fails
            is told why.
        task: What is done.
    """
    for name, result in results.items():
        if result.error is None:
            try:
                task(workers[name], result)
            except WorkerError as error:
                result.error = str(error)
            time.sleep(SETTLE)


def rounds_in_time(
    rounds: int, say: Callable[[str], None], seconds: float, deadline: float = math.inf
) -> Iterator[int]:
    """The numbers of the rounds, until there is no time for another one.

    Args:
        rounds: How many there are at most.
        say: Is told which one begins.
        seconds: The round in which so many seconds have passed is the last.
        deadline: So is the one at this time of `time.perf_counter`.

    Yields:
        0, 1, 2 ...; always the first two.
    """
    deadline = min(deadline, time.perf_counter() + seconds)
    for number in range(rounds):
        if number >= LEAST_ROUNDS and time.perf_counter() > deadline:
            return
        say(f"round {number + 1}" + (f" of {rounds}" if deadline == math.inf else ""))
        yield number
