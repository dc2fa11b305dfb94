"""Measures how fastrnn's training step grows with its sizes: time, memory, gain by threads.

    python bench/scaling.py --quick

Time and memory must come out linear in steps and batch. The method is described in
bench/METHOD.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

from comparison import data
from comparison.machine import cores, describe_machine
from comparison.report import write_json
from comparison.systems import SUBJECT
from measure import command_line, memory, ranks
from measure.panels import Panel, Timing, memory_panel, time_panel
from measure.problems import Problem
from measure.scaling_report import chart, table, verdicts
from measure.trials import Trial

SIZES = {
    "steps": (25, 50, 100, 200, 400, 800),
    "batch": (8, 16, 32, 64, 128, 256),
    "units": (16, 32, 64, 128, 256, 512),
    "padding": (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9),
    "memory": (50, 100, 200, 400, 800),
}
QUICK_SIZES = {
    "steps": (20, 40, 80),
    "batch": (16, 32, 64),
    "units": (16, 32, 64),
    "padding": (0.0, 0.45, 0.9),
    "memory": (50, 200),
}
BASE = Problem(batch=64, steps=100, units=64, features=32)
LONG_STEPS = 200  # where threads and padding are varied
ROUNDS, TURN_SECONDS = 9, 0.05
QUICK_ROUNDS, QUICK_TURN_SECONDS = 3, 0.01
LATER_STEPS, QUICK_LATER_STEPS = 2_000, 200


class Measurements:
    """The measurements, a method for each name of `PANELS`; each gives one or more panels.

    Args:
        options: The command line.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        quick = options.quick
        self.threads = options.threads
        self.sizes = QUICK_SIZES if quick else SIZES
        self.timing = Timing(options.rounds, QUICK_TURN_SECONDS if quick else TURN_SECONDS)
        self.cells = [replace(BASE, cell=cell) for cell in options.cells]
        # The panels of tokens and of memory show one cell.
        self.one = next((cell for cell in self.cells if cell.cell == "LSTM"), self.cells[0])
        self.later_steps = QUICK_LATER_STEPS if quick else LATER_STEPS

    def _size(self, name: str, growth: str) -> list[Panel]:
        """The cost against an attribute of the problem."""
        series = [*self.cells, replace(self.one, inputs="tokens")]

        def at(problem: Problem, size: int) -> Trial:
            return Trial(replace(problem, **{name: size}), self.threads)

        return [time_panel(name, name, self.sizes[name], series, at, self.timing, growth)]

    def steps(self) -> list[Panel]:
        """The cost against the time steps."""
        return self._size("steps", "linear")

    def batch(self) -> list[Panel]:
        """The cost against the rows of the batch."""
        return self._size("batch", "linear")

    def units(self) -> list[Panel]:
        """The cost against the units."""
        return self._size("units", "power")

    def by_threads(self) -> list[Panel]:
        """The cost against the threads: powers of two, and all cores."""
        counts = sorted({2**power for power in range(cores().bit_length())} | {cores()})
        series = [replace(cell, steps=LONG_STEPS) for cell in self.cells]
        panel = time_panel("threads", "threads", counts, series, Trial, self.timing, "other")
        return [panel]

    def padding(self) -> list[Panel]:
        """The cost against the share of the positions that is padding, in three ways to pad."""
        padded = replace(self.one, steps=LONG_STEPS, inputs="tokens")
        series = [padded, replace(padded, masked=True), replace(padded, padded="end")]

        def at(problem: Problem, share: float) -> Trial:
            return Trial(replace(problem, padding=share), self.threads)

        axis = "share of padding"
        return [
            time_panel("padding", axis, self.sizes["padding"], series, at, self.timing, "other")
        ]

    def memory(self) -> list[Panel]:
        """Memory against time steps and batch."""
        return [
            memory_panel(axis, self.sizes["memory"], self.one, self.threads)
            for axis in ("steps", "batch")
        ]

    def later_memory(self) -> str:
        """A line that tells whether memory grows while training goes on."""
        problem = replace(self.one, batch=16, steps=30, inputs="tokens")
        (found,) = memory.measure([problem], self.threads, self.later_steps)
        return (
            f"Resident size from step {memory.FIRST_STEPS} to {self.later_steps} of "
            f"{problem.title}: {found.later_mb:+.2f} MB"
        )


PANELS = {
    "steps": Measurements.steps,
    "batch": Measurements.batch,
    "units": Measurements.units,
    "threads": Measurements.by_threads,
    "padding": Measurements.padding,
    "memory": Measurements.memory,
}


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = command_line.parser(
        __doc__.splitlines()[0], "few and small sizes: less than a minute", ROUNDS
    )
    parser.add_argument(
        "--panels", nargs="+", choices=PANELS, default=list(PANELS), help="what is varied"
    )
    parser.add_argument(
        "--ranks",
        action="store_true",
        help="in place of the panels: one and two processes that train together, by MPI",
    )
    parser.add_argument(
        "--data",
        choices=data.SOURCES,
        default="auto",
        help="where the reviews of --ranks come from",
    )
    options = command_line.parse(parser, arguments)
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the measurements."""
    options = parse(arguments)
    begin = time.perf_counter()
    machine = describe_machine([SUBJECT])
    print(f"{machine['cpu']}, {machine['cores']} cores, ISA level {machine['fastrnn']['isa']}")
    print(
        f"Where it is not varied: batch {BASE.batch} x {BASE.steps} steps, {BASE.features} "
        f"features, {BASE.units} units, Adam, {options.threads} threads; threads and padding: "
        f"{LONG_STEPS} steps"
    )
    if options.ranks:
        content = {
            "machine": machine,
            "ranks": ranks.report(options.quick, options.threads, options.data),
        }
        options.output.mkdir(parents=True, exist_ok=True)
        write_json(options.output / "ranks.json", content)
        print(f"Done in {time.perf_counter() - begin:.0f} s.")
        return 0
    measurements = Measurements(options)
    panels: list[Panel] = []
    for name in options.panels:
        for panel in PANELS[name](measurements):
            print(f"\n{table(panel)}", flush=True)
            panels.append(panel)
    print()
    lines = verdicts(panels)
    if "memory" in options.panels:
        lines.append(measurements.later_memory())
    for line in lines:
        print(line)

    options.output.mkdir(parents=True, exist_ok=True)
    stem = options.output / "scaling"
    content = {
        "machine": machine,
        "threads": options.threads,
        "quick": options.quick,
        "base": vars(BASE),
        "panels": [panel.as_json() for panel in panels],
        "summary": lines,
    }
    write_json(stem.with_suffix(".json"), content)
    note = f"{machine['cpu']}, {options.threads} threads"
    drawn = chart(panels, stem.with_suffix(".png"), note)
    print(f"\nWritten: {stem}.json" + (f" and {stem}.png" if drawn else ""))
    print(f"Done in {time.perf_counter() - begin:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
