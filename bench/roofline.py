"""Measures where the time of a training step goes, and how near each phase is to the CPU's limit.

    python bench/roofline.py --quick

The limit, the float32 multiply-add peak, is measured in the same run. The method is described in
bench/METHOD.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from comparison import data
from comparison.machine import describe_machine
from comparison.report import write_json
from comparison.systems import SUBJECT
from comparison.workloads import WORKLOADS, Workload, describe
from measure import command_line
from measure.peaks import Peaks
from measure.phase_report import chart, summary, table
from measure.phases import StepProfile, profile

ROUNDS = 8
QUICK_ROUNDS, QUICK_STEPS = 2, 3
QUICK_ARRAY_BYTES = 32 << 20
TRAINED = [name for name, workload in WORKLOADS.items() if not workload.predicts]
DEFAULT_WORKLOADS = ("imdb-200", "imdb-100", "imdb-300", "wide-256")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = command_line.parser(__doc__.splitlines()[0], "a few steps: less than a minute", ROUNDS)
    add = parser.add_argument
    add("--workload", nargs="+", choices=[*TRAINED, "all"], default=list(DEFAULT_WORKLOADS))
    add("--steps", type=command_line.positive, help="training steps in a turn")
    add("--data", choices=data.SOURCES, default="auto", help="where the reviews come from")
    options = command_line.parse(parser, arguments)
    if "all" in options.workload:
        options.workload = TRAINED
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    return options


def run_workload(
    workload: Workload, options: argparse.Namespace, peaks: Peaks
) -> Iterator[StepProfile]:
    """Profiles each cell of a workload and prints its table."""
    steps = options.steps or (QUICK_STEPS if options.quick else workload.turn)
    arrays = data.load(
        workload.data, options.data, train=steps * workload.batch, test=workload.batch
    )
    print(
        f"\n{workload.name}: {arrays.source}; {options.rounds} rounds of {steps} steps, without "
        f"and with profiling; threads: {options.threads}"
    )
    for cell in workload.cells:
        if cell not in options.cells:
            continue
        result = profile(
            workload,
            cell,
            arrays,
            options.threads,
            options.rounds,
            steps,
            between_rounds=peaks.measure_operations,
        )
        print(f"\n{workload.name} {cell}: {describe(workload, cell)}")
        print(table(result, peaks, options.threads), flush=True)
        yield result


def main(arguments: list[str] | None = None) -> int:
    """Runs the measurements."""
    options = parse(arguments)
    begin = time.perf_counter()
    machine = describe_machine([SUBJECT])
    print(f"{machine['cpu']}, {machine['cores']} cores, ISA level {machine['fastrnn']['isa']}")
    peaks = Peaks(threads=tuple(sorted({1, options.threads})))
    peaks.measure_operations()
    peaks.measure_memory(*[QUICK_ARRAY_BYTES] * options.quick)
    for threads in peaks.threads:
        print(peaks.describe(threads))
    profiles = [
        result
        for name in options.workload
        for result in run_workload(WORKLOADS[name], options, peaks)
    ]
    print(f"\n{summary(profiles, peaks, options.threads)}\n\nThe peaks, best of all rounds:")
    for threads in peaks.threads:
        print(peaks.describe(threads))

    options.output.mkdir(parents=True, exist_ok=True)
    names = "all" if options.workload == TRAINED else "-".join(options.workload)
    stem = options.output / f"roofline-{names}"
    content = {
        "machine": machine,
        "threads": options.threads,
        "quick": options.quick,
        "peaks": vars(peaks),
        "results": [result.as_json() for result in profiles],
    }
    write_json(stem.with_suffix(".json"), content)
    note = (
        f"{machine['cpu']}, {options.threads} threads; peak "
        f"{peaks.best_operations(options.threads) / 1e9:.0f} GFLOP/s"
    )
    drawn = chart(profiles, peaks, options.threads, stem.with_suffix(".png"), note)
    print(f"\nWritten: {stem}.json" + (f" and {stem}.png" if drawn else ""))
    print(f"Done in {time.perf_counter() - begin:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
