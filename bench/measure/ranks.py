"""Data parallel training: one rank against two on this machine, and a prediction for more."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
from comparison import data
from comparison.text_table import text_table
from comparison.workloads import WORKLOADS

from measure.figures import figure
from measure.rank_prediction import Traffic, prediction_table
from measure.rank_worker import model_of, ms_per_step

CASES = (("imdb-300", "LSTM"), ("wide-512", "LSTM"), ("imdb-200", "LSTM"))
NODES = (4, 8, 16, 32, 64)
GROUPS = 8
STEPS, TURNS = 4, 7
QUICK_STEPS, QUICK_TURNS = 2, 2
SAMPLES = 8_192  # from which the distinct tokens of batches are counted


def measured(workload: str, cell: str, steps: int, turns: int, source: str) -> dict[str, Any]:
    """What `rank_worker` measures with two ranks of one thread.

    Raises:
        FileNotFoundError: If there is no `mpiexec`.
        RuntimeError: If it fails.
    """
    paths = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    found = shutil.which("mpiexec", path=os.pathsep.join(paths))
    if found is None:
        raise FileNotFoundError("`--ranks` needs mpiexec: pip install mpi4py mpich")
    options = {
        "workload": workload,
        "cell": cell,
        "steps": steps,
        "turns": turns,
        "groups": GROUPS,
        "data": source,
    }
    command = [found, "-n", "2", sys.executable, "-m", "measure.rank_worker", json.dumps(options)]
    done = subprocess.run(
        command,
        env={**os.environ, "FASTRNN_NUM_THREADS": "1"},
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def report(quick: bool, threads: int, source: str = "auto") -> dict[str, Any]:
    """Prints and returns what is measured and predicted.

    Args:
        quick: Whether to take few turns, of one workload.
        threads: Threads of a node in the prediction.
        source: Where reviews come from, as in `data.load`.
    """
    steps, turns = (QUICK_STEPS, QUICK_TURNS) if quick else (STEPS, TURNS)
    content: dict[str, Any] = {}
    for workload, cell in CASES[:1] if quick else CASES:
        found = measured(workload, cell, steps, turns, source)
        print(f"\n{workload} {cell}, ranks of one thread, {found['source']}", flush=True)
        print(measured_table(found), flush=True)
        predicted = predictions(workload, cell, threads, source, turns)
        for line in predicted["lines"]:
            print(line, flush=True)
        content[f"{workload} {cell}"] = found | predicted
    return content


def measured_table(found: dict[str, Any]) -> str:
    """A row per way to train: wall and CPU time, ratios to one rank, what is sent in a step.

    CPU time is that of the first rank without its waits. Where other programs keep the cores busy
    it tells more than wall time; it leaves out that ranks wait for each other.
    """
    rows = []
    for name, ms in found["ms"].items():
        # Turns stand beside each other, so that a busy neighbour disturbs both of a pair.
        ratios = [one / own for one, own in zip(found["ms"]["1 rank"], ms, strict=True)]
        rows.append(
            [
                name,
                figure(min(ms)),
                figure(statistics.median(ms)),
                f"{min(found['ms']['1 rank']) / min(ms):.2f}x",
                f"{statistics.median(ratios):.2f}x",
                figure(min(found["cpu_ms"][name])),
                f"{min(found['cpu_ms']['1 rank']) / min(found['cpu_ms'][name]):.2f}x",
                figure(found["sent"][name] / 1e6),
            ]
        )
    headings = ["", "ms, least", "median", "speed by least", "by pairs", "CPU ms, least", "speed"]
    headings.append("MB sent")
    return text_table(headings, rows)


def predictions(workload: str, cell: str, threads: int, source: str, turns: int) -> dict[str, Any]:
    """The tables of a workload for several nodes, and how few bytes the rows of the table are."""
    case = WORKLOADS[workload]
    arrays = data.load(case.data, source, train=SAMPLES, test=1)
    tokens: Any = arrays.x_train
    model = model_of(case, cell)
    fastrnn.set_num_threads(threads)
    nodes = [count for count in NODES if count <= case.batch]
    shares = [case.batch // count for count in (1, *nodes)]
    ms = []
    for rows in shares:
        turns_of_share = [
            ms_per_step(model, tokens, arrays.y_train, rows, steps=2) for _ in range(turns + 1)
        ]
        # CPU time is free of neighbours, but that of several threads is no time of a step.
        ms.append(min(cpu_ms if threads == 1 else wall_ms for wall_ms, cpu_ms in turns_of_share))
    vocabulary, width = model.weights[0].shape
    dense = sum(weight.value.size for weight in model.weights[1:])

    def traffic(own: int, batch: int) -> Traffic:
        return Traffic(dense, width, _distinct(tokens, own), _distinct(tokens, batch))

    shared = [traffic(rows, case.batch) for rows in shares[1:]]
    grown = [traffic(case.batch, case.batch * count) for count in nodes]
    all_rows = _distinct(tokens, case.batch)
    whole, by_rows = vocabulary * width, all_rows * (width + 1)
    lines = [
        f"Gradient of the table: {all_rows} distinct of {vocabulary} rows in a batch, "
        f"{by_rows / whole:.0%} of the bytes of the table; of all gradients "
        f"{(by_rows + dense) / (whole + dense):.0%}",
        "PREDICTION, not measured: computation as measured here on one node of "
        f"{threads} thread(s), bytes as counted, a network as stated",
        prediction_table(f"a batch of {case.batch} shared out", ms, shared, nodes, grows=False),
        prediction_table(
            f"a batch of {case.batch} for each node",
            [ms[0]] * (len(nodes) + 1),
            grown,
            nodes,
            grows=True,
        ),
    ]
    return {"compute_ms": dict(zip(map(str, shares), ms, strict=True)), "lines": lines}


def _distinct(tokens: np.ndarray, rows: int) -> int:
    """The mean number of distinct tokens in so many rows."""
    starts = range(0, len(tokens) - rows + 1, rows) or [0]
    counts = [len(np.unique(tokens[start : start + rows])) for start in list(starts)[:20]]
    return round(statistics.mean(counts))
