"""Trains the same models in fastrnn and in Keras and PyTorch, and compares times and results.

    python bench/compare.py --quick

Every system starts from the same weights, sees the same batches in the same order and uses the
same optimizer. The systems take turns in one run, each in a process of its own. The method is
described in bench/README.md.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from importlib import util
from pathlib import Path

import fastrnn
from comparison import data
from comparison.chart import chart
from comparison.client import start_workers
from comparison.machine import cores, describe_machine
from comparison.report import as_json, summary, table, write_json
from comparison.session import Result, Schedule, compare_cell, disagreements
from comparison.systems import PEERS, SUBJECT, SYSTEMS
from comparison.workloads import CELLS, WORKLOADS, Workload, describe

RESULTS = Path(__file__).resolve().parent / "results"
WARM_UP = 5
ROUNDS = 10
# --quick: enough steps for a stable median, few enough for two minutes on two cores.
QUICK_WARM_UP = 2
QUICK_ROUNDS = 5
QUICK_STEPS = 5
QUICK_TEST_SAMPLES = 1000
QUICK_SECONDS = 90.0  # on a slow or busy machine, fewer rounds than planned
SAMPLES = 25_000


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="Peers that are not installed are left out."
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a few steps of each model: at most two minutes")
    add("--workload", nargs="+", choices=[*WORKLOADS, "all"], default=["imdb-200"])
    add("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    add("--peers", nargs="*", choices=PEERS, default=list(PEERS), help="may be empty")
    add("--rounds", type=_positive, help=f"turns of each system (default {ROUNDS})")
    add("--steps", type=_positive, help="training steps in a turn (default: an epoch in all)")
    add("--threads", type=_positive, help="of each system (default: those that fastrnn would use)")
    add("--data", choices=data.SOURCES, default="auto", help="where the reviews come from")
    add("--output", type=Path, default=RESULTS, help="folder of the JSON and PNG files")
    options = parser.parse_args(arguments)
    if options.threads is None:
        options.threads = min(cores(), fastrnn.get_num_threads())
    if options.threads > cores():
        parser.error(f"--threads must be at most {cores()}, the cores of this machine")
    if "all" in options.workload:
        options.workload = list(WORKLOADS)
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def schedule(options: argparse.Namespace, workload: Workload) -> Schedule:
    """How much is trained: an epoch in rounds, or the few steps of --quick."""
    epoch = SAMPLES // workload.batch
    warm_up = QUICK_WARM_UP if options.quick else WARM_UP
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    rest_of_epoch = -(-(epoch - warm_up) // rounds)
    steps = options.steps or (QUICK_STEPS if options.quick else rest_of_epoch)
    return Schedule(warm_up, rounds, steps, epoch, options.threads)


def choose_systems(peers: list[str]) -> list[str]:
    """Our side and the peers that are installed; says what is missing and how to get it."""
    chosen = [SUBJECT]
    absent = set()
    for name in peers:
        missing = SYSTEMS[name].missing()
        absent.update(missing)
        if not missing:
            chosen.append(name)
    if absent:
        print(f"Not installed, so left out: {', '.join(sorted(absent))}.")
        print('Keras on TensorFlow comes with pip install ".[bench]"; JAX and PyTorch by name.')
    return chosen


def run_workload(
    workload: Workload, systems: list[str], options: argparse.Namespace
) -> tuple[list[Result], str]:
    """All cells of a workload, printing each table as it is done; and what the data is."""
    begin = time.perf_counter()
    plan = schedule(options, workload)
    needed = workload.batch * (plan.warm_up + plan.rounds * plan.steps)
    arrays = data.load(
        workload.data,
        options.data,
        train=min(SAMPLES, needed),
        test=QUICK_TEST_SAMPLES if options.quick else SAMPLES,
    )
    source = f"{arrays.source}; {len(arrays.x_test)} reviews for the test"
    epoch = "measured" if plan.covers_epoch(plan.rounds) else f"{plan.epoch} steps x median"
    print(f"\n{workload.name}: {source}")
    print(
        f"{plan.warm_up} steps of warm-up, not timed, then {plan.rounds} rounds of {plan.steps} "
        f"steps by turns; threads: {plan.threads} each; epoch: {epoch}"
    )
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data.save(arrays, folder)
        cells = [cell for cell in workload.cells if cell in options.cells]
        # Fresh processes for each cell, so that each peak of memory is that of one model. The
        # imports take too long for that in --quick: there a process trains one cell after another.
        for shared in [cells] if options.quick else [[cell] for cell in cells]:
            _say("starting")
            with start_workers(systems, options.threads) as workers:
                for number, cell in enumerate(shared, start=1):
                    seconds = QUICK_SECONDS * number / len(shared) if options.quick else math.inf
                    group = compare_cell(
                        workload, cell, folder, workers, plan, _say, deadline=begin + seconds
                    )
                    _say("")
                    print(f"\n{workload.name} {cell}: {describe(workload, cell)}")
                    print(table(group), flush=True)
                    for line in disagreements(group) or ["Losses agree."]:
                        print(line)
                    results += group
    return results, source


def _say(text: str) -> None:
    """Shows what is being done, on a line that is overwritten; only to a person."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the comparison; the exit code is 1 if fastrnn failed or trained another model."""
    options = parse(arguments)
    begin = time.perf_counter()
    systems = choose_systems(options.peers)
    machine = describe_machine(systems)
    print(f"{machine['cpu']}, {machine['cores']} cores, {' '.join(machine['vectors'])}")
    print("; ".join(filter(None, dict.fromkeys(machine["versions"].values()))))
    print(f"fastrnn runs at ISA level {machine['fastrnn']['isa']}")
    results: list[Result] = []
    sources = {}
    for name in options.workload:
        found, sources[name] = run_workload(WORKLOADS[name], systems, options)
        results += found

    failed = [result for result in results if result.error is not None]
    for result in failed:
        print(f"\n{result.workload} {result.cell}, {SYSTEMS[result.system].title}: {result.error}")
    options.output.mkdir(parents=True, exist_ok=True)
    stem = options.output / f"compare-{'-'.join(options.workload)}"
    circumstances = {"machine": machine, "data": sources, "quick": options.quick}
    write_json(stem.with_suffix(".json"), as_json(results, circumstances))
    note = f"{machine['cpu']}, {options.threads} threads. {'; '.join(sources.values())}"
    drawn = chart(results, stem.with_suffix(".png"), note)
    print(f"\nWritten: {stem}.json" + (f" and {stem}.png" if drawn else ""))
    if util.find_spec("matplotlib") is None:
        print('A chart needs matplotlib: pip install ".[plot]"')
    ratios = [f"{SYSTEMS[peer].title} {ratio:.1f}" for peer, ratio in summary(results).items()]
    if ratios:
        print(f"fastrnn is faster by, geometric mean of {_cells(results)}: {', '.join(ratios)}")
    print(f"Done in {time.perf_counter() - begin:.0f} s.")
    broken = any(result.system == SUBJECT for result in failed) or disagreements(results)
    return 1 if broken else 0


def _cells(results: list[Result]) -> str:
    count = len({(result.workload, result.cell) for result in results})
    return f"{count} model{'s' if count > 1 else ''}"


if __name__ == "__main__":
    sys.exit(main())
