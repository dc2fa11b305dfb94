"""One cell of one workload, trained by all systems in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from comparison.client import Worker, WorkerError
from comparison.systems import SUBJECT, SYSTEMS
from comparison.weights import initial_weights, load_weights, save_weights
from comparison.workloads import Workload

WEIGHT_SEED = 7
EVALUATION_BATCH = 500
LEAST_ROUNDS = 2
SETTLE = 0.05  # seconds between two systems, for the thread pools of the last one to fall asleep
# The first batch's loss is computed from the initial weights: a larger relative difference means
# that a system trains another model.
FIRST_LOSS_TOLERANCE = 1e-5
# Later, rounding errors grow with the steps; the mean loss of the last round may differ by this.
LAST_LOSS_TOLERANCE = 0.05


@dataclass(frozen=True)
class Schedule:
    """How much is trained.

    Args:
        warm_up: Steps before the timed ones; the first of them compiles what is compiled lazily.
        rounds: Turns that each system gets.
        steps: Training steps in a turn.
        epoch: Training steps in an epoch.
        threads: Cores that each system may use.
    """

    warm_up: int
    rounds: int
    steps: int
    epoch: int
    threads: int

    def covers_epoch(self, rounds: int) -> bool:
        """Whether the warm-up and so many rounds together are at least one epoch."""
        return self.warm_up + rounds * self.steps >= self.epoch


@dataclass
class Result:
    """What one system did with one cell of one workload."""

    workload: str
    cell: str
    system: str
    schedule: Schedule
    error: str | None = None
    ms_per_step: list[float] = field(default_factory=list)  # one mean per round
    losses: list[float] = field(default_factory=list)  # one mean per round
    first_loss: float = float("nan")
    test_loss: float = float("nan")
    test_metric: float = float("nan")
    peak_mb: float = float("nan")
    weights: list[np.ndarray] = field(default_factory=list, repr=False)
    idle_cpu_share: float = float("nan")

    @property
    def median_ms(self) -> float:
        """Median over the rounds."""
        return float(np.median(self.ms_per_step)) if self.ms_per_step else float("nan")

    @property
    def epoch_measured(self) -> bool:
        """Whether a whole epoch was trained."""
        return self.schedule.covers_epoch(len(self.ms_per_step))

    @property
    def epoch_seconds(self) -> float:
        """Seconds per epoch: measured where a whole epoch was trained, else steps x median."""
        ms = np.mean(self.ms_per_step) if self.epoch_measured else self.median_ms
        return float(ms) * self.schedule.epoch / 1000.0


def compare_cell(
    workload: Workload,
    cell: str,
    folder: Path,
    workers: Mapping[str, Worker],
    schedule: Schedule,
    say: Callable[[str], None],
    deadline: float = float("inf"),
) -> list[Result]:
    """Trains one cell in all systems, a round in each by turns.

    Args:
        workload: The workload.
        cell: Name of the recurrent layer.
        folder: Holds the saved arrays; receives the weights.
        workers: The workers by system, in the order of their turns.
        schedule: How much is trained.
        say: Is told what is being done.
        deadline: Time of `time.perf_counter` after which no round but the first two is begun.

    Returns:
        One result per system. That of a system that failed says why in `error`.
    """
    layers = workload.layers(cell)
    initial = folder / "initial.npz"
    x_train = np.load(folder / "x_train.npy", mmap_mode="r")
    save_weights(initial_weights(layers, x_train.shape[-1], WEIGHT_SEED), initial)
    results = {name: Result(workload.name, cell, name, schedule) for name in workers}

    def in_turn(task: Callable[[Worker, Result], None]) -> None:
        """Does the task in each system that has not failed, one after the other."""
        for name, result in results.items():
            if result.error is None:
                try:
                    task(workers[name], result)
                except WorkerError as error:
                    result.error = str(error)
                time.sleep(SETTLE)

    def start(worker: Worker, result: Result) -> None:
        worker.call(
            "prepare",
            folder=str(folder),
            weights=str(initial),
            layers=layers,
            batch=workload.batch,
            loss=workload.loss,
            metric=workload.metric,
            learning_rate=workload.learning_rate,
        )

    def warm_up(worker: Worker, result: Result) -> None:
        result.first_loss = worker.call("run", steps=1)["loss"]
        if schedule.warm_up > 1:
            worker.call("run", steps=schedule.warm_up - 1)

    def train(worker: Worker, result: Result) -> None:
        answer = worker.call("run", steps=schedule.steps)
        result.ms_per_step.append(1000.0 * answer["seconds"] / schedule.steps)
        result.losses.append(answer["loss"])
        result.peak_mb = answer["peak_mb"]

    def finish(worker: Worker, result: Result) -> None:
        answer = worker.call("evaluate", batch=EVALUATION_BATCH)
        result.test_loss, result.test_metric = answer["loss"], answer["metric"]
        path = folder / f"{result.system}.npz"
        worker.call("weights", path=str(path))
        result.weights = load_weights(path)
        result.idle_cpu_share = worker.idle_cpu_seconds / worker.idle_seconds

    say("building the models")
    in_turn(start)
    say("first steps")
    in_turn(warm_up)
    for round_number in range(schedule.rounds):
        if round_number >= LEAST_ROUNDS and time.perf_counter() > deadline:
            break
        say(f"round {round_number + 1} of {schedule.rounds}")
        in_turn(train)
    say("evaluating")
    in_turn(finish)
    return list(results.values())


def disagreements(results: Sequence[Result]) -> list[str]:
    """What shows that systems of one cell did not train the same model; empty if they did."""
    found = []
    subject = next((r for r in results if r.system == SUBJECT and r.error is None), None)
    for result in results:
        if subject is None or result.error is not None:
            continue
        for what, ours, theirs, tolerance in (
            ("first batch", subject.first_loss, result.first_loss, FIRST_LOSS_TOLERANCE),
            ("last round", subject.losses[-1], result.losses[-1], LAST_LOSS_TOLERANCE),
        ):
            # Written so that a loss that is no number disagrees.
            if not abs(ours - theirs) <= tolerance * abs(theirs):
                found.append(
                    f"LOSSES DIFFER: {result.workload} {result.cell}, {what}: {theirs:.7g} in "
                    f"{SYSTEMS[result.system].title}, {ours:.7g} in {SYSTEMS[SUBJECT].title}"
                )
    return found
