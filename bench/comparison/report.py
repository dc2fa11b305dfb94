"""Results as a table, as JSON and as a closing line."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from comparison.session import Result
from comparison.systems import SUBJECT, SYSTEMS

HEADINGS = (
    "system",
    "ms/step",
    "min - max",
    "speed-up",
    "epoch s",
    "last loss",
    "test loss",
    "test acc",
    "peak MB",
)


def speed_up(subject: Result, result: Result) -> float:
    """How many times faster the subject's median step is."""
    return result.median_ms / subject.median_ms


def _largest_difference(subject: Result, result: Result) -> float:
    """Largest difference between two weights after the last step."""
    pairs = zip(subject.weights, result.weights, strict=True)
    return max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)


def _subject_of(results: Sequence[Result]) -> Result | None:
    return next((r for r in results if r.system == SUBJECT and r.error is None), None)


def _row(result: Result, subject: Result | None) -> tuple[str, ...]:
    title = SYSTEMS[result.system].title
    if result.error is not None:
        return (title, f"failed: {result.error.splitlines()[0]}")
    ratio = "" if subject in (None, result) else f"{speed_up(subject, result):.1f}x"
    return (
        title,
        f"{result.median_ms:.2f}",
        f"{min(result.ms_per_step):.2f} - {max(result.ms_per_step):.2f}",
        ratio,
        f"{result.epoch_seconds:.1f}",
        f"{result.losses[-1]:.5f}",
        f"{result.test_loss:.4f}",
        f"{result.test_metric:.4f}",
        f"{result.peak_mb:.0f}",
    )


def table(results: Sequence[Result]) -> str:
    """One aligned row per system of one cell."""
    subject = _subject_of(results)
    rows = [HEADINGS] + [_row(result, subject) for result in results]
    # A failed row has fewer columns, the last of them free text.
    full = [row for row in rows if len(row) == len(HEADINGS)]
    widths = [max(len(row[column]) for row in full) for column in range(len(HEADINGS))]
    widths[0] = max(len(row[0]) for row in rows)
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        if len(row) == len(HEADINGS):
            cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        else:
            cells += row[1:]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(len(line) for line in lines[:1]))
    return "\n".join(lines)


def by_cell(results: Sequence[Result]) -> list[list[Result]]:
    """The results in groups of one workload and cell, in their order."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.workload, result.cell), []).append(result)
    return list(groups.values())


def summary(results: Sequence[Result]) -> dict[str, float]:
    """For each peer the geometric mean of the speed-ups over all cells that it finished."""
    logarithms: dict[str, list[float]] = {}
    for group in by_cell(results):
        subject = _subject_of(group)
        for result in group:
            if subject is not None and result is not subject and result.error is None:
                ratio = speed_up(subject, result)
                logarithms.setdefault(result.system, []).append(math.log(ratio))
    return {name: math.exp(sum(logs) / len(logs)) for name, logs in logarithms.items()}


def as_json(results: Sequence[Result], circumstances: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured, as plain data."""
    rows = []
    for group in by_cell(results):
        subject = _subject_of(group)
        for result in group:
            row = {key: value for key, value in asdict(result).items() if key != "weights"}
            if result.error is None:
                row["median_ms"] = result.median_ms
                row["epoch_seconds"] = result.epoch_seconds
                row["epoch_measured"] = result.epoch_measured
                if subject is not None:
                    row["speed_up"] = speed_up(subject, result)
                    row["largest_weight_difference"] = _largest_difference(subject, result)
            rows.append(row)
    return {**circumstances, "results": rows, "geometric_mean_speed_up": summary(results)}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes plain data; a number that does not exist becomes null."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    path.write_text(json.dumps(clean(content), indent=2, allow_nan=False) + "\n")
