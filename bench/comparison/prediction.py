"""Prediction by all systems in turns: many samples in batches, and one sample at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from comparison.client import Worker
from comparison.outcome import reference_of
from comparison.session import preparation, save_initial_weights
from comparison.systems import SYSTEMS
from comparison.turns import in_turn, rounds_in_time
from comparison.workloads import Workload

WARM_UP_CALLS = 3
# Largest difference between the outputs of two systems.
OUTPUT_TOLERANCE = 1e-4
ROUNDED_OUTPUT_TOLERANCE = 0.02  # of systems that round to bfloat16


@dataclass(frozen=True)
class PredictionSchedule:
    """How much is predicted.

    Args:
        rounds: Turns that each system gets.
        samples: Samples in a turn that are predicted in batches, others in each turn.
        calls: Samples in a turn that are predicted in a call of their own.
        training: Training steps before, so that outputs are not all the same.
        threads: Cores that each system may use.
        seconds: The round in which so many seconds have passed, of all systems together, is the
            last; two are predicted in any case.
    """

    rounds: int
    samples: int
    calls: int
    training: int
    threads: int
    seconds: float = math.inf


@dataclass
class Prediction:
    """What one system predicted with one model."""

    workload: str
    cell: str
    system: str
    schedule: PredictionSchedule
    error: str | None = None
    ms_per_batch: list[float] = field(default_factory=list)  # one mean per round
    ms_per_call: list[float] = field(default_factory=list)  # one per call
    in_batches: list[np.ndarray] = field(default_factory=list, repr=False)
    in_calls: list[np.ndarray] = field(default_factory=list, repr=False)

    @property
    def batch_ms(self) -> float:
        """Median time of a batch over the rounds."""
        return float(np.median(self.ms_per_batch)) if self.ms_per_batch else float("nan")

    @property
    def call_ms(self) -> float:
        """Median time of a call with one sample."""
        return float(np.median(self.ms_per_call)) if self.ms_per_call else float("nan")

    @property
    def outputs(self) -> np.ndarray:
        """All outputs, those of the batches first."""
        return np.concatenate((*self.in_batches, *self.in_calls))


def compare_predictions(
    workload: Workload,
    cell: str,
    folder: Path,
    workers: Mapping[str, Worker],
    schedule: PredictionSchedule,
    say: Callable[[str], None],
    deadline: float = math.inf,
) -> list[Prediction]:
    """Predicts with the same weights in all systems, a round in each by turns.

    Args:
        workload: The workload.
        cell: Name of the recurrent layer.
        folder: Holds the saved arrays; receives weights and outputs.
        workers: The workers by system, in the order of their turns.
        schedule: How much is predicted.
        say: Is told what is being done.
        deadline: Time of `time.perf_counter` after which no round but the first two is begun.

    Returns:
        One result per system. That of a system that failed says why in `error`.
    """
    weights, outputs = folder / "weights.npz", folder / "outputs.npy"
    save_initial_weights(workload.layers(cell), folder, weights)
    results = {name: Prediction(workload.name, cell, name, schedule) for name in workers}

    def start(worker: Worker, result: Prediction) -> None:
        worker.call("prepare", **preparation(workload, cell, folder, weights))

    def train(worker: Worker, result: Prediction) -> None:
        start(worker, result)
        worker.call("run", steps=schedule.training)
        worker.call("weights", path=str(weights))

    def predict(worker: Worker, result: Prediction, first: int, samples: int) -> float:
        """Predicts in batches; returns ms per batch."""
        answer = worker.call(
            "predict", first=first, count=samples, batch=workload.batch, path=str(outputs)
        )
        result.in_batches.append(np.load(outputs))
        return 1000.0 * answer["seconds"] * workload.batch / samples

    def predict_each(worker: Worker, result: Prediction, first: int, calls: int) -> list[float]:
        """Predicts one sample per call; returns ms of each."""
        answer = worker.call("predict_each", first=first, count=calls, path=str(outputs))
        result.in_calls.append(np.load(outputs))
        return [1000.0 * seconds for seconds in answer["seconds"]]

    def warm_up(worker: Worker, result: Prediction) -> None:
        # A full batch and the one that is left at the end of a turn: each shape is compiled.
        predict(worker, result, 0, workload.batch + schedule.samples % workload.batch)
        predict_each(worker, result, 0, WARM_UP_CALLS)

    def batches(worker: Worker, result: Prediction) -> None:
        first = len(result.ms_per_batch) * schedule.samples
        result.ms_per_batch.append(predict(worker, result, first, schedule.samples))

    def calls(worker: Worker, result: Prediction) -> None:
        first = len(result.ms_per_call)
        result.ms_per_call += predict_each(worker, result, first, schedule.calls)

    say("training")
    # One system trains for all: ours, unless it fails.
    for name, result in results.items():
        in_turn(workers, {name: result}, train)
        if result.error is None:
            break
    say("building the models")
    in_turn(workers, results, start)
    in_turn(workers, results, warm_up)
    for _ in rounds_in_time(schedule.rounds, say, schedule.seconds, deadline):
        in_turn(workers, results, batches)
        in_turn(workers, results, calls)
    return list(results.values())


def largest_difference(subject: Prediction, result: Prediction) -> float:
    """Largest difference between two outputs for the same sample."""
    return float(np.abs(subject.outputs - result.outputs).max())


def disagreements(predictions: Sequence[Prediction]) -> list[str]:
    """What shows that systems did not predict the same; empty if they did."""
    found = []
    reference = reference_of(predictions)
    for result in predictions:
        if result.error is not None:
            continue
        difference = largest_difference(reference, result)
        rounds = SYSTEMS[result.system].rounds
        # Written so that an output that is no number disagrees.
        if not difference < (ROUNDED_OUTPUT_TOLERANCE if rounds else OUTPUT_TOLERANCE):
            found.append(
                f"OUTPUTS DIFFER by {difference:.1e}: {result.workload} {result.cell}, "
                f"{SYSTEMS[result.system].title} and {SYSTEMS[reference.system].title}"
            )
    return found


def verdict(predictions: Sequence[Prediction]) -> list[str]:
    """What the outputs of one model say, a line each."""
    reference = reference_of(predictions)
    if reference is None:
        return []
    low, high = reference.outputs.min(), reference.outputs.max()
    return disagreements(predictions) or [
        f"Outputs agree within the tolerance; they lie between {low:.3f} and {high:.3f}."
    ]
