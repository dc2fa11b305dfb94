"""A long run: `python -m fuzz --cases 1000000 --log fuzz.log`, with tests/ on PYTHONPATH.

A case is a number: `--first NUMBER --cases 1` runs it again, with the same `--only` if there was
one. The log holds the counts, every thousand cases, and each case that failed; the case that runs
is on record in a file beside the log, for the end that leaves no time to say so.
"""

from __future__ import annotations

import argparse
import collections
import faulthandler
import os
import random
import resource
import sys
import time
import traceback
from pathlib import Path

from fastrnn import _core

from fuzz import system
from fuzz.targets import TARGETS

SECONDS_PER_CASE = 60  # longer is a hang


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="time to run at most")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", choices=sorted(TARGETS), help="one target alone")
    parser.add_argument("--log", type=Path, default=Path("fuzz.log"))
    parser.add_argument("--memory", type=int, default=8, help="GB at most; 0 for no limit")
    arguments = parser.parse_args()
    if arguments.memory:  # so that a file that asks for all there is harms nobody else
        resource.setrlimit(resource.RLIMIT_AS, (arguments.memory << 30, resource.RLIM_INFINITY))

    names = [arguments.only] if arguments.only else list(TARGETS)
    shares = [TARGETS[name][1] for name in names]
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    begin, case, failures = time.monotonic(), arguments.first, 0
    running = os.open(f"{arguments.log}.running", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    faulthandler.enable()
    with open(arguments.log, "a") as log:

        def say(text: str) -> None:
            log.write(f"{time.monotonic() - begin:.0f} s: {text}\n")
            log.flush()

        say(f"from case {case}, levels {_core.isa_levels()}, {_core.compiler}")
        while case < arguments.first + arguments.cases:
            if time.monotonic() - begin > arguments.seconds:
                break
            r = random.Random(case)
            name = r.choices(names, shares)[0]
            system.choose(r)
            os.pwrite(running, f"{case} {name} {_core.isa()} {_core.num_threads()}\n".encode(), 0)
            faulthandler.dump_traceback_later(SECONDS_PER_CASE, exit=True)
            try:
                counts[name, TARGETS[name][0](r)] += 1
            except Exception:
                failures += 1
                say(f"FAILED case {case} of '{name}'\n{traceback.format_exc()}")
            faulthandler.cancel_dump_traceback_later()
            case += 1
            if case % 1000 == 0:
                say(f"{case - arguments.first} cases, {failures} failed")
            if case % 50_000 == 0:
                say(_table(counts))
        say(_table(counts))
        say(f"END: {case - arguments.first} cases, {failures} failed")
    return int(failures > 0)


def _table(counts: collections.Counter[tuple[str, str]]) -> str:
    lines = (f"{count:8} {verdict:8} {name}" for (name, verdict), count in sorted(counts.items()))
    return "\n".join(("so far", *lines))


if __name__ == "__main__":
    sys.exit(main())
