"""One size varied, the cost of several series measured at each: the panels of `scaling.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from measure import memory
from measure.exponents import exponent, last_exponent
from measure.problems import Problem
from measure.trials import Trial, step_seconds


@dataclass(frozen=True)
class Panel:
    """Costs of several series against one size.

    Args:
        name: What is varied, and what is measured, in a few words.
        axis: The size.
        cost: The cost and its unit.
        sizes: Values of the size, rising.
        series: For each series its title and the cost at each size.
        growth: `"linear"` where the cost should grow like the size, `"power"` where it grows like
            some power of it, `"other"`.
    """

    name: str
    axis: str
    cost: str
    sizes: tuple[float, ...]
    series: dict[str, list[float]]
    growth: str

    def exponents(self) -> dict[str, tuple[float, float]]:
        """For each series the exponent of all sizes, and that of the last two."""
        if self.growth == "other":
            return {}
        return {
            title: (exponent(self.sizes, costs), last_exponent(self.sizes, costs))
            for title, costs in self.series.items()
        }

    def as_json(self) -> dict[str, Any]:
        """Costs and exponents as plain data."""
        return {**vars(self), "exponents": self.exponents()}


@dataclass(frozen=True)
class Timing:
    """How times are taken.

    Args:
        rounds: Turns of each measurement.
        turn_seconds: About how long a turn takes.
    """

    rounds: int
    turn_seconds: float


def time_panel(
    name: str,
    axis: str,
    sizes: Sequence[float],
    series: Sequence[Problem],
    at: Callable[[Problem, Any], Trial],
    timing: Timing,
    growth: str,
) -> Panel:
    """Times the training steps of each series at each size.

    Args:
        name: What is varied.
        axis: The size.
        sizes: Its values, rising.
        series: A problem for each series.
        at: Gives what is to be timed for a series at a size.
        timing: How times are taken.
        growth: As in `Panel`.
    """
    trials = [at(problem, size) for problem in series for size in sizes]
    seconds = step_seconds(trials, timing.rounds, timing.turn_seconds)
    count = len(sizes)
    costs = {
        problem.title: [1e3 * value for value in seconds[index * count : (index + 1) * count]]
        for index, problem in enumerate(series)
    }
    return Panel(name, axis, "ms per training step", tuple(sizes), costs, growth)


def memory_panel(axis: str, sizes: Sequence[int], problem: Problem, threads: int) -> Panel:
    """Measures the memory of a problem whose attribute `axis` takes each of the sizes."""
    problems = [replace(problem, **{axis: size}) for size in sizes]
    found = memory.measure(problems, threads)
    series = {
        "tape": [one.tape_mb for one in found],
        "resident size": [one.resident_mb for one in found],
    }
    return Panel(f"memory against {axis}", axis, "MB", tuple(sizes), series, "linear")
