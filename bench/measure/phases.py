"""Where the time of fastrnn's training step goes: one workload, one cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from comparison import data
from comparison.systems import SUBJECT, SYSTEMS
from comparison.trainee import Plan
from comparison.weights import initial_weights
from comparison.workloads import Workload
from fastrnn import _core

from measure.flops import BACKWARD, WEIGHT_GRADIENTS
from measure.recording import Recorder

PYTHON = "Python"
WEIGHT_SEED = 7


@dataclass(frozen=True)
class Phase:
    """One phase of a training step, or the whole step.

    Args:
        name: A key of `_core.phase_seconds()`, or "Python".
        seconds: Per training step: median of the rounds.
        nominal: Operations of the dense problem per step.
        executed: Operations that were done per step.
        bytes_moved: What memory or a cache must move at least; 0 where it was not counted.
    """

    name: str
    seconds: float
    nominal: float = 0.0
    executed: float = 0.0
    bytes_moved: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The fields and the rates, as plain data."""
        if self.seconds == 0.0:
            return dict(vars(self))
        return {
            **vars(self),
            "nominal_per_second": self.nominal / self.seconds,
            "executed_per_second": self.executed / self.seconds,
            "bytes_per_second": self.bytes_moved / self.seconds,
        }


@dataclass
class StepProfile:
    """The training steps of one workload and cell.

    Args:
        workload: Its name.
        cell: Name of the recurrent layer.
        seconds: Of a step without profiling, one mean per round.
        profiled_seconds: Of a step with profiling, one mean per round.
        phase_seconds: Of a step by phase, one entry per round.
        nominal: Operations of the dense problem per step, by phase.
        executed: Operations that were done per step, by phase.
        bytes_moved: Bytes per step, by phase.
        tape_bytes: What forward leaves for backward: the mean over the steps.
    """

    workload: str
    cell: str
    nominal: Counter[str]
    executed: Counter[str]
    bytes_moved: Counter[str]
    tape_bytes: float
    seconds: list[float] = field(default_factory=list)
    profiled_seconds: list[float] = field(default_factory=list)
    phase_seconds: list[dict[str, float]] = field(default_factory=list)

    def phases(self) -> list[Phase]:
        """The phases in the order of a step; the last is the rest of the time, Python's."""
        names = list(self.phase_seconds[0])
        medians = {
            name: float(np.median([one_round[name] for one_round in self.phase_seconds]))
            for name in names
        }
        counts = (self.nominal, self.executed, self.bytes_moved)
        if not medians.get(WEIGHT_GRADIENTS):  # done while walking back, group by group
            counts = tuple(_moved(count, WEIGHT_GRADIENTS, BACKWARD) for count in counts)
        rest = [
            wall - sum(one_round.values())
            for wall, one_round in zip(self.profiled_seconds, self.phase_seconds, strict=True)
        ]
        return [
            Phase(name, medians[name], *(float(count[name]) for count in counts)) for name in names
        ] + [Phase(PYTHON, float(np.median(rest)))]

    def step(self) -> Phase:
        """The whole step, timed without profiling."""
        return Phase(
            "step",
            float(np.median(self.seconds)),
            float(self.nominal.total()),
            float(self.executed.total()),
        )

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured, as plain data."""
        return {
            **vars(self),
            "phases": [phase.as_json() for phase in self.phases()],
            "step": self.step().as_json(),
        }


def _moved(count: Counter[str], source: str, target: str) -> Counter[str]:
    """The counts with those of one phase in another."""
    result = Counter(count)
    result[target] += result.pop(source, 0)
    return result


def profile(
    workload: Workload,
    cell: str,
    arrays: data.Arrays,
    threads: int,
    rounds: int,
    steps: int,
    between_rounds: Callable[[], None],
) -> StepProfile:
    """Trains fastrnn on the same few batches again and again.

    In the first round, which warms up, the kernel calls are recorded and no time is taken. Each
    round after that is trained twice, without and with profiling.

    Args:
        workload: The workload.
        cell: Name of the recurrent layer.
        arrays: At least `steps` batches of training data.
        threads: Threads of the kernels.
        rounds: Rounds that are timed.
        steps: Training steps in a round.
        between_rounds: Called before each timed round.

    Returns:
        Times and counts.
    """
    layers = workload.layers(cell)
    features = data.each(arrays.x_train, lambda array: array.shape[-1])
    plan = Plan(
        layers=layers,
        weights=initial_weights(layers, features, WEIGHT_SEED),
        data={"x_train": arrays.x_train, "y_train": arrays.y_train},
        batch=workload.batch,
        loss=workload.loss,
        metric=workload.metric,
        learning_rate=workload.learning_rate,
    )
    model = SYSTEMS[SUBJECT].start(plan, threads)
    rows = np.arange(steps * workload.batch)

    with Recorder() as recorder:
        model.train(rows)
    tapes = sum(noted.tape_bytes for noted in recorder.recurrent)

    def per_step(count: Counter[str]) -> Counter[str]:
        return Counter({name: value / steps for name, value in count.items()})

    result = StepProfile(
        workload.name,
        cell,
        nominal=per_step(recorder.nominal()),
        executed=per_step(recorder.executed()),
        bytes_moved=per_step(recorder.bytes_moved()),
        tape_bytes=tapes / steps,
    )

    def plain() -> None:
        result.seconds.append(model.train(rows).seconds / steps)

    def profiled() -> None:
        _core.phase_seconds(reset=True)
        _core.set_profiling(True)
        try:
            result.profiled_seconds.append(model.train(rows).seconds / steps)
        finally:
            _core.set_profiling(False)
        spent = _core.phase_seconds(reset=True)
        result.phase_seconds.append({name: value / steps for name, value in spent.items()})

    for number in range(rounds):
        between_rounds()
        # Whichever comes first finds the caches full of something else.
        for train in (plain, profiled) if number % 2 else (profiled, plain):
            train()
    return result
