"""What the command lines of `roofline.py` and `scaling.py` share."""

from __future__ import annotations

import argparse
from pathlib import Path

import fastrnn
from comparison.machine import cores
from comparison.workloads import CELLS

RESULTS = Path(__file__).resolve().parents[1] / "results"


def positive(text: str) -> int:
    """An integer from 1 on."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def parser(description: str, quick: str, rounds: int) -> argparse.ArgumentParser:
    """A parser with the common options.

    Args:
        description: What the script does.
        quick: What `--quick` does.
        rounds: How many rounds there are by default.
    """
    result = argparse.ArgumentParser(description=description)
    add = result.add_argument
    add("--quick", action="store_true", help=quick)
    add("--cells", nargs="+", choices=CELLS, default=list(CELLS))
    add("--rounds", type=positive, help=f"turns of each measurement (default {rounds})")
    add("--threads", type=positive, help="default: those that fastrnn would use")
    add("--output", type=Path, default=RESULTS, help="folder of the JSON and PNG files")
    return result


def parse(result: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """Parses and fills in the number of threads."""
    options = result.parse_args(arguments)
    if options.threads is None:
        options.threads = min(cores(), fastrnn.get_num_threads())
    if options.threads > cores():
        result.error(f"--threads must be at most {cores()}, the cores of this machine")
    return options
