"""One cell of one workload, trained by all systems in turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from comparison.client import Worker
from comparison.data import each, open_saved
from comparison.outcome import reference_of
from comparison.systems import SYSTEMS
from comparison.turns import in_turn, rounds_in_time
from comparison.weights import initial_weights, load_weights, save_weights
from comparison.workloads import LayerSpec, Workload, is_random

WEIGHT_SEED = 7
EVALUATION_BATCH = 500
# The first loss is computed from the initial weights: a larger relative difference means that a
# system has another model.
FIRST_LOSS_TOLERANCE = 1e-5
ROUNDED_LOSS_TOLERANCE = 0.02  # of systems that round to bfloat16
# A loss that has nearly vanished is all rounding error; this share of the first one is allowed.
VANISHED_LOSS = 1e-3
# Where each system draws its own dropout masks, losses of training can only be near each other.
RANDOM_LOSS_TOLERANCE = 0.3


@dataclass(frozen=True)
class Schedule:
    """How much is trained.

    Args:
        warm_up: Steps before the timed ones; the first of them compiles what is compiled lazily.
        rounds: Turns that each system gets.
        steps: Training steps in a turn.
        epoch: Training steps in an epoch.
        threads: Cores that each system may use.
        seconds: The round in which so many seconds have passed, of all systems together, is the
            last; two are trained in any case.
    """

    warm_up: int
    rounds: int
    steps: int
    epoch: int
    threads: int
    seconds: float = math.inf

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
    first_loss: float = float("nan")  # from the initial weights: see `random`
    test_loss: float = float("nan")
    test_metric: float = float("nan")
    peak_mb: float = float("nan")
    weights: list[np.ndarray] = field(default_factory=list, repr=False)
    idle_cpu_share: float = float("nan")
    # Whether each system draws its own dropout masks. The first loss is then that of the test set,
    # where nothing is dropped; otherwise that of the first batch.
    random: bool = False
    # Rounding errors grow with the steps: how far the mean loss of the last round may lie from
    # those of other systems, relatively.
    tolerance: float = 0.05

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
    deadline: float = math.inf,
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
    save_initial_weights(layers, folder, initial)
    results = {
        name: Result(
            workload.name,
            cell,
            name,
            schedule,
            random=is_random(layers),
            tolerance=workload.tolerance,
        )
        for name in workers
    }

    def start(worker: Worker, result: Result) -> None:
        worker.call("prepare", **preparation(workload, cell, folder, initial))

    def warm_up(worker: Worker, result: Result) -> None:
        if result.random:
            # In batches no larger than those of training: the peak of memory shall be training's.
            result.first_loss = worker.call("evaluate", batch=workload.batch)["loss"]
            worker.call("run", steps=1)
        else:
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
    in_turn(workers, results, start)
    say("first steps")
    in_turn(workers, results, warm_up)
    for _ in rounds_in_time(schedule.rounds, say, schedule.seconds, deadline):
        in_turn(workers, results, train)
    say("evaluating")
    in_turn(workers, results, finish)
    return list(results.values())


def save_initial_weights(layers: Sequence[LayerSpec], folder: Path, path: Path) -> None:
    """Draws the weights that all systems start from, for the inputs in a folder."""
    features = each(open_saved(folder)["x_train"], lambda array: array.shape[-1])
    save_weights(initial_weights(layers, features, WEIGHT_SEED), path)


def preparation(workload: Workload, cell: str, folder: Path, weights: Path) -> dict[str, Any]:
    """The arguments of a worker's command `prepare`."""
    return {
        "folder": str(folder),
        "weights": str(weights),
        "layers": workload.layers(cell),
        "batch": workload.batch,
        "loss": workload.loss,
        "metric": workload.metric,
        "learning_rate": workload.learning_rate,
    }


def disagreements(results: Sequence[Result]) -> list[str]:
    """What shows that systems of one cell did not train the same model; empty if they did."""
    found = []
    reference = reference_of(results)
    for result in results:
        if result.error is not None:
            continue
        last_tolerance = RANDOM_LOSS_TOLERANCE if result.random else result.tolerance
        rounds = SYSTEMS[result.system].rounds
        first_tolerance = ROUNDED_LOSS_TOLERANCE if rounds else FIRST_LOSS_TOLERANCE
        vanished = VANISHED_LOSS * abs(reference.first_loss)
        for what, expected, loss, tolerance, least in (
            ("first loss", reference.first_loss, result.first_loss, first_tolerance, 0.0),
            ("last round", reference.losses[-1], result.losses[-1], last_tolerance, vanished),
        ):
            # Written so that a loss that is no number disagrees.
            if not abs(loss - expected) <= max(tolerance * abs(expected), least):
                found.append(
                    f"LOSSES DIFFER: {result.workload} {result.cell}, {what}: {loss:.7g} in "
                    f"{SYSTEMS[result.system].title}, {expected:.7g} in "
                    f"{SYSTEMS[reference.system].title}"
                )
    return found


def verdict(results: Sequence[Result]) -> list[str]:
    """What the losses of one cell say, a line each."""
    if all(result.error is not None for result in results):
        return []
    if any(result.random for result in results):
        agreement = (
            "Losses agree before training, and are near each other after it: each system draws "
            "its own dropout masks."
        )
    else:
        agreement = "Losses agree."
    return disagreements(results) or [agreement]
