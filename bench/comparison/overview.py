"""All workloads of a run at a glance: a row for each, and the geometric mean of the speed-ups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from comparison.outcome import by_cell
from comparison.prediction import Prediction
from comparison.session import Result
from comparison.systems import SUBJECT, SYSTEMS
from comparison.text_table import text_table

# The peer that stands for what most users run.
USUAL_PEER = "keras-tf"
BEST_PEER = "best-peer"
HEADINGS = ("workload", "fastrnn ms", "vs Keras TF", "vs best peer", "best peer")


@dataclass(frozen=True)
class Row:
    """Median times of all systems that finished one thing.

    Args:
        label: What they did.
        ms: Their times by system.
        trained: Whether it counts for the geometric mean, which is that of training.
    """

    label: str
    ms: dict[str, float]
    trained: bool


def rows_of(results: Sequence[Result], predictions: Sequence[Prediction]) -> list[Row]:
    """A row for each trained cell, and two for each model that predicted."""
    rows = []
    for group in by_cell(results):
        label = f"{group[0].workload} {group[0].cell}"
        ms = {result.system: result.median_ms for result in group if result.error is None}
        rows.append(Row(label, ms, trained=True))
    for group in by_cell(predictions):
        label = f"{group[0].workload} {group[0].cell}"
        done = [result for result in group if result.error is None]
        batches = {result.system: result.batch_ms for result in done}
        calls = {result.system: result.call_ms for result in done}
        rows.append(Row(f"{label}, a batch", batches, trained=False))
        rows.append(Row(f"{label}, one sample", calls, trained=False))
    return rows


def speed_up(row: Row, peer: str) -> float | None:
    """How many times faster fastrnn's median is; None where one of the two is missing."""
    if SUBJECT not in row.ms or peer not in row.ms:
        return None
    return row.ms[peer] / row.ms[SUBJECT]


def best_peer(row: Row) -> str | None:
    """The fastest of the peers that run at their best settings; None if there is none."""
    peers = [name for name in row.ms if name != SUBJECT and SYSTEMS[name].at_its_best]
    return min(peers, key=row.ms.__getitem__, default=None)


def geometric_means(rows: Sequence[Row]) -> dict[str, float]:
    """Geometric means of the speed-ups over the rows of training.

    Args:
        rows: The rows of a run.

    Returns:
        For each peer the mean over the rows that it finished; under `BEST_PEER` that over each
        row's best peer.
    """
    logarithms: dict[str, list[float]] = {}
    for row in rows:
        compared = [(peer, peer) for peer in row.ms if peer != SUBJECT]
        best = best_peer(row)
        if best is not None:
            compared.append((BEST_PEER, best))
        for name, peer in compared:
            ratio = speed_up(row, peer)
            if row.trained and ratio is not None:
                logarithms.setdefault(name, []).append(math.log(ratio))
    return {name: math.exp(sum(logs) / len(logs)) for name, logs in logarithms.items()}


def overview(rows: Sequence[Row]) -> str:
    """The table of a run; its last row is the geometric mean over what was trained."""
    lines = []
    for row in rows:
        best = best_peer(row)
        lines.append(
            (
                row.label,
                f"{row.ms[SUBJECT]:.2f}" if SUBJECT in row.ms else "failed",
                _times(speed_up(row, USUAL_PEER)),
                _times(None if best is None else speed_up(row, best)),
                "" if best is None else SYSTEMS[best].title,
            )
        )
    means = geometric_means(rows)
    count = sum(row.trained for row in rows)
    if count:
        label = f"geometric mean of {count} trained"
        lines.append((label, "", _times(means.get(USUAL_PEER)), _times(means.get(BEST_PEER)), ""))
    return text_table(HEADINGS, lines)


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1f}x"
