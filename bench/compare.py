"""Trains the same models in fastrnn and in Keras and PyTorch, and compares times and results.

    python bench/compare.py --quick

Every system starts from the same weights, sees the same batches in the same order and uses the
same optimizer. The systems take turns in one run, each in a process of its own. The method is
described in bench/METHOD.md.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from importlib import util
from pathlib import Path
from typing import Any

import fastrnn
from comparison import data, prediction, session
from comparison.busy import busy_processes
from comparison.chart import chart
from comparison.client import start_workers
from comparison.machine import cores, describe_machine
from comparison.outcome import by_cell
from comparison.overview import BEST_PEER, Row, geometric_means, overview, rows_of
from comparison.prediction import Prediction, PredictionSchedule, compare_predictions
from comparison.report import as_json, prediction_table, table, write_json
from comparison.session import Result, Schedule, compare_cell
from comparison.systems import PEERS, SUBJECT, SYSTEMS, USUAL_PEERS
from comparison.workloads import CELLS, WORKLOADS, Workload, describe

RESULTS = Path(__file__).resolve().parent / "results"
WARM_UP = 5
SAMPLES = 25_000
# Of the rounds of each trained model with `--workload all`.
ALL_SECONDS = 20
# Test samples where less than an epoch is trained, so that the test loss says little.
FEW_TEST_SAMPLES = 1000
# Prediction: five turns of 5,000 are the 25,000 test reviews; 50 calls with one review.
PREDICTION_ROUNDS = 5
PREDICTION_CALLS = 10
PREDICTION_TRAINING = 200
# --quick: enough steps for a stable median, few enough for two minutes on two cores.
QUICK_WARM_UP = 2
QUICK_ROUNDS = 5
QUICK_SHARE = 0.5  # of a usual turn
QUICK_PREDICTIONS = 200
QUICK_SECONDS = 90.0  # on a slow or busy machine, fewer rounds than planned


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="Peers that are not installed are left out."
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a few steps of each model: at most two minutes")
    add("--workload", nargs="+", choices=[*WORKLOADS, "all"], default=["imdb-200"])
    add("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    add("--peers", nargs="*", choices=PEERS, default=list(USUAL_PEERS), help="may be empty")
    add("--rounds", type=_positive, help="turns of each system (default: as many as an epoch has)")
    add("--steps", type=_positive, help="training steps in a turn (default: the workload's)")
    add(
        "--seconds",
        type=_positive,
        help="a model's last round is the one in which so many seconds have passed, of all systems "
        f"together (default: no end; {ALL_SECONDS} in training with --workload all)",
    )
    add("--threads", type=_positive, help="of each system (default: those that fastrnn would use)")
    add(
        "--busy",
        type=_not_negative,
        default=0,
        metavar="N",
        help="run beside N busy processes, which share the cores of the systems",
    )
    add(
        "--data",
        choices=data.SOURCES,
        default="auto",
        help="where the reviews come from; auto: IMDB, from the folder that FASTRNN_DATA names or "
        "the network, and generated reviews if neither has it",
    )
    add("--output", type=Path, default=RESULTS, help="folder of the JSON and PNG files")
    options = parser.parse_args(arguments)
    if options.threads is None:
        options.threads = min(cores(), fastrnn.get_num_threads())
    if options.threads > cores():
        parser.error(f"--threads must be at most {cores()}, the cores of this machine")
    options.all = "all" in options.workload
    options.stem = "all" if options.all else "-".join(options.workload)
    if options.busy:
        options.stem += f"-busy-{options.busy}"
    if options.all:
        options.workload = list(WORKLOADS)
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def _not_negative(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, not {number}")
    return number


def schedule(options: argparse.Namespace, workload: Workload) -> Schedule:
    """How much is trained: an epoch in rounds, what there is time for, or the little of --quick."""
    epoch = workload.samples // workload.batch
    warm_up = QUICK_WARM_UP if options.quick else WARM_UP
    steps = options.steps or math.ceil(workload.turn * (QUICK_SHARE if options.quick else 1))
    rest_of_epoch = math.ceil((epoch - warm_up) / steps)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else rest_of_epoch)
    seconds = options.seconds or (ALL_SECONDS if options.all else math.inf)
    return Schedule(warm_up, rounds, steps, epoch, options.threads, seconds)


def prediction_schedule(options: argparse.Namespace, workload: Workload) -> PredictionSchedule:
    """How much is predicted: all test reviews, or the few of --quick."""
    rounds = options.rounds or PREDICTION_ROUNDS
    turn = QUICK_PREDICTIONS if options.quick else workload.turn
    return PredictionSchedule(
        rounds=rounds,
        samples=max(PREDICTION_CALLS, min(turn, SAMPLES // rounds)),
        calls=PREDICTION_CALLS,
        training=PREDICTION_TRAINING,
        threads=options.threads,
        seconds=options.seconds or math.inf,
    )


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


def able_systems(workload: Workload, cell: str, systems: list[str]) -> list[str]:
    """The systems that can build the model; says which cannot."""
    able = []
    for name in systems:
        lacking = SYSTEMS[name].lacking(workload.layers(cell))
        if lacking:
            print(f"Left out: {SYSTEMS[name].title}, whose layers have no {' or '.join(lacking)}.")
        else:
            able.append(name)
    return able


def run_workload(
    workload: Workload, systems: list[str], options: argparse.Namespace
) -> tuple[list[Result], list[Prediction], str]:
    """All cells of a workload, printing each table as it is done; and what the data is."""
    begin = time.perf_counter()
    plan = (prediction_schedule if workload.predicts else schedule)(options, workload)
    train, test, events = _in_words(workload, plan)
    arrays = data.load(workload.data, options.data, train, test)
    source = f"{arrays.source}; {data.samples_of(arrays.x_test)} samples for the test"
    beside = f"; {_beside(options)}" if options.busy else ""
    print(f"\n{workload.name}: {source}\n{events}; threads: {plan.threads} each{beside}")
    results: list[Result] = []
    predictions: list[Prediction] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data.save(arrays, folder)
        cells = [cell for cell in workload.cells if cell in options.cells]
        # All cells of a workload give the same arguments to their layers.
        able = able_systems(workload, workload.cells[0], systems)
        # Fresh processes for each cell, so that each peak of memory is that of one model. The
        # imports take too long for that in --quick: there a process trains one cell after another.
        for shared in [cells] if options.quick else [[cell] for cell in cells]:
            _say("starting")
            with start_workers(able, options.threads) as workers:
                for number, cell in enumerate(shared, start=1):
                    seconds = QUICK_SECONDS * number / len(shared) if options.quick else math.inf
                    run = compare_predictions if workload.predicts else compare_cell
                    group = run(workload, cell, folder, workers, plan, _say, begin + seconds)
                    _say("")
                    print(f"\n{workload.name} {cell}: {describe(workload, cell)}")
                    if workload.predicts:
                        print(prediction_table(group), *prediction.verdict(group), sep="\n")
                        predictions += group
                    else:
                        print(table(group), *session.verdict(group), sep="\n")
                        results += group
                    sys.stdout.flush()
    return results, predictions, source


def _beside(options: argparse.Namespace) -> str:
    """What else runs on the systems' cores."""
    return f"beside {options.busy} busy process{'es' if options.busy > 1 else ''}"


def _in_words(workload: Workload, plan: Schedule | PredictionSchedule) -> tuple[int, int, str]:
    """The samples of training and test that a plan needs, and what it does in words."""
    limit = "" if plan.seconds == math.inf else f"at most {plan.seconds} s or "
    if isinstance(plan, PredictionSchedule):
        words = (
            f"{plan.training} training steps, then {limit}{plan.rounds} rounds of {plan.samples} "
            f"samples in batches of {workload.batch} and {plan.calls} one by one, by turns"
        )
        return plan.training * workload.batch, plan.rounds * plan.samples, words
    needed = workload.batch * (plan.warm_up + plan.rounds * plan.steps)
    whole = plan.covers_epoch(plan.rounds) and not limit
    epoch = "measured" if whole else f"{plan.epoch} steps x median"
    words = (
        f"{plan.warm_up} steps of warm-up, not timed, then {limit}{plan.rounds} rounds of "
        f"{plan.steps} steps by turns; epoch: {epoch}"
    )
    test = workload.samples if whole else min(FEW_TEST_SAMPLES, workload.samples)
    return min(workload.samples, needed), test, words


def _say(text: str) -> None:
    """Shows what is being done, on a line that is overwritten; only to a person."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the comparison; the exit code is 1 if fastrnn failed or computed something else."""
    options = parse(arguments)
    begin = time.perf_counter()
    systems = choose_systems(options.peers)
    machine = describe_machine(systems)
    print(f"{machine['cpu']}, {machine['cores']} cores, {' '.join(machine['vectors'])}")
    print("; ".join(filter(None, dict.fromkeys(machine["versions"].values()))))
    print(f"fastrnn runs at ISA level {machine['fastrnn']['isa']}")
    results: list[Result] = []
    predictions: list[Prediction] = []
    sources = {}
    with busy_processes(options.busy, options.threads):
        for name in options.workload:
            if set(options.cells).isdisjoint(WORKLOADS[name].cells):
                print(f"\n{name}: left out, as it has {', '.join(WORKLOADS[name].cells)} only")
                continue
            trained, predicted, sources[name] = run_workload(WORKLOADS[name], systems, options)
            results += trained
            predictions += predicted

    failed = [result for result in (*results, *predictions) if result.error is not None]
    for result in failed:
        print(f"\n{result.workload} {result.cell}, {SYSTEMS[result.system].title}: {result.error}")
    rows = rows_of(results, predictions)
    circumstances = {
        "machine": machine,
        "data": sources,
        "quick": options.quick,
        "busy_processes": options.busy,
    }
    _write(options, as_json(results, predictions, rows, circumstances), results)
    if options.busy:
        print(f"\nAll of it {_beside(options)}.", end="")
    _print_overview(rows)
    print(f"Done in {time.perf_counter() - begin:.0f} s.")
    different = [
        *map(session.disagreements, by_cell(results)),
        *map(prediction.disagreements, by_cell(predictions)),
    ]
    return 1 if any(different) or any(result.system == SUBJECT for result in failed) else 0


def _write(options: argparse.Namespace, content: dict[str, Any], results: list[Result]) -> None:
    """The JSON and, where it can be drawn, the chart."""
    options.output.mkdir(parents=True, exist_ok=True)
    stem = options.output / f"compare-{options.stem}"
    write_json(stem.with_suffix(".json"), content)
    sources = dict.fromkeys(content["data"].values())
    threads = f"{options.threads} threads"
    if options.busy:
        threads += f", {_beside(options)}"
    note = f"{content['machine']['cpu']}, {threads}. {'; '.join(sources)}"
    drawn = chart(results, stem.with_suffix(".png"), note)
    print(f"\nWritten: {stem}.json" + (f" and {stem}.png" if drawn else ""))
    if util.find_spec("matplotlib") is None:
        print('A chart needs matplotlib: pip install ".[plot]"')


def _print_overview(rows: list[Row]) -> None:
    print(f"\n{overview(rows)}")
    means = [
        f"{'best peer' if name == BEST_PEER else SYSTEMS[name].title} {ratio:.1f}"
        for name, ratio in geometric_means(rows).items()
    ]
    if means:
        print(f"fastrnn trains faster by, geometric means: {', '.join(means)}")


if __name__ == "__main__":
    sys.exit(main())
