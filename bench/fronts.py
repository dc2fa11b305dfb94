"""Times PyTorch's modules or Keras's models with and without `accelerate`, in turns.

    python bench/fronts.py --quick
    python bench/fronts.py --keras tensorflow

Medians of a forward and backward pass in PyTorch, or of a training step in Keras.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable

from comparison.machine import cores, describe_machine
from comparison.text_table import text_table
from measure.command_line import positive

BACKENDS = ("tensorflow", "torch", "jax")


def seconds(call: Callable[[], None]) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--keras", choices=BACKENDS, help="time Keras on this backend")
    parser.add_argument("--quick", action="store_true", help="two or three cases, few rounds")
    parser.add_argument("--rounds", type=positive, help="turns of each (default 15)")
    parser.add_argument("--threads", type=positive, default=cores())
    options = parser.parse_args(arguments)
    if options.keras:
        os.environ |= {"KERAS_BACKEND": options.keras, "JAX_PLATFORMS": "cpu"}
    front = importlib.import_module(f"comparison.{'keras' if options.keras else 'torch'}_front")
    front.limit_threads(options.threads)
    machine = describe_machine([])
    print(f"{machine['cpu']}, {options.threads} threads, {front.LIBRARY}\n")
    rows = []
    for name in front.QUICK if options.quick else front.CASES:
        theirs, ours = front.twins(name)
        theirs(), ours()  # not counted: what is compiled and allocated once
        rounds = options.rounds or (3 if options.quick else 15)
        turns = [(seconds(theirs), seconds(ours)) for _ in range(rounds)]
        one, other = (statistics.median(each) * 1e3 for each in zip(*turns, strict=True))
        rows.append((name, f"{one:.2f}", f"{other:.2f}", f"{one / other:.1f}"))
    print(text_table(("what", "alone, ms", "accelerated, ms", "times"), rows))


if __name__ == "__main__":
    sys.exit(main())
