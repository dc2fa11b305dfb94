"""Results as tables and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from comparison.outcome import by_cell, subject_of
from comparison.overview import Row, best_peer, geometric_means, speed_up
from comparison.prediction import Prediction, largest_difference
from comparison.session import Result
from comparison.systems import SYSTEMS
from comparison.text_table import text_table

HEADINGS = (
    "system",
    "ms/step",
    "min - max",
    "speed-up",
    "epoch s",
    "last loss",
    "test loss",
    "metric",
    "peak MB",
)
PREDICTION_HEADINGS = (
    "system",
    "ms/batch",
    "min - max",
    "speed-up",
    "ms/single",
    "min - max",
    "speed-up",
    "largest difference",
)


def _largest_weight_difference(subject: Result, result: Result) -> float:
    """Largest difference between two weights after the last step."""
    pairs = zip(subject.weights, result.weights, strict=True)
    return max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)


def _range(ms: Sequence[float]) -> str:
    return f"{min(ms):.2f} - {max(ms):.2f}"


def _failure(result: Result | Prediction) -> tuple[str, ...]:
    return SYSTEMS[result.system].title, f"failed: {result.error.splitlines()[0]}"


def _row(result: Result, subject: Result | None) -> tuple[str, ...]:
    if result.error is not None:
        return _failure(result)
    compared = subject not in (None, result)
    return (
        SYSTEMS[result.system].title,
        f"{result.median_ms:.2f}",
        _range(result.ms_per_step),
        f"{result.median_ms / subject.median_ms:.1f}x" if compared else "",
        f"{result.epoch_seconds:.1f}",
        f"{result.losses[-1]:.5g}",
        f"{result.test_loss:.4g}",
        f"{result.test_metric:.4g}",
        f"{result.peak_mb:.0f}",
    )


def table(results: Sequence[Result]) -> str:
    """One aligned row per system of one trained cell."""
    subject = subject_of(results)
    return text_table(HEADINGS, [_row(result, subject) for result in results])


def _prediction_row(result: Prediction, subject: Prediction | None) -> tuple[str, ...]:
    if result.error is not None:
        return _failure(result)
    compared = subject not in (None, result)
    return (
        SYSTEMS[result.system].title,
        f"{result.batch_ms:.2f}",
        _range(result.ms_per_batch),
        f"{result.batch_ms / subject.batch_ms:.1f}x" if compared else "",
        f"{result.call_ms:.2f}",
        _range(result.ms_per_call),
        f"{result.call_ms / subject.call_ms:.1f}x" if compared else "",
        f"{largest_difference(subject, result):.1e}" if compared else "",
    )


def prediction_table(predictions: Sequence[Prediction]) -> str:
    """One aligned row per system that predicted with one model."""
    subject = subject_of(predictions)
    rows = [_prediction_row(result, subject) for result in predictions]
    return text_table(PREDICTION_HEADINGS, rows)


def as_json(
    results: Sequence[Result],
    predictions: Sequence[Prediction],
    rows: Sequence[Row],
    circumstances: dict[str, Any],
) -> dict[str, Any]:
    """Everything that was measured, as plain data."""
    return {
        **circumstances,
        "results": [row for group in by_cell(results) for row in _training_rows(group)],
        "predictions": [row for group in by_cell(predictions) for row in _prediction_rows(group)],
        "overview": [_overview_row(row) for row in rows],
        "geometric_mean_speed_up": geometric_means(rows),
    }


def _training_rows(group: Sequence[Result]) -> list[dict[str, Any]]:
    rows = []
    subject = subject_of(group)
    for result in group:
        row = {key: value for key, value in asdict(result).items() if key != "weights"}
        if result.error is None:
            row["median_ms"] = result.median_ms
            row["epoch_seconds"] = result.epoch_seconds
            row["epoch_measured"] = result.epoch_measured
            if subject is not None:
                row["speed_up"] = result.median_ms / subject.median_ms
                row["largest_weight_difference"] = _largest_weight_difference(subject, result)
        rows.append(row)
    return rows


def _prediction_rows(group: Sequence[Prediction]) -> list[dict[str, Any]]:
    rows = []
    subject = subject_of(group)
    for result in group:
        row = asdict(result)
        del row["in_batches"], row["in_calls"]
        if result.error is None:
            row["median_ms_per_batch"] = result.batch_ms
            row["median_ms_per_call"] = result.call_ms
            if subject is not None:
                row["largest_difference"] = largest_difference(subject, result)
        rows.append(row)
    return rows


def _overview_row(row: Row) -> dict[str, Any]:
    best = best_peer(row)
    return {
        "workload": row.label,
        "trained": row.trained,
        "ms": row.ms,
        "best_peer": best,
        "speed_up_over_best_peer": None if best is None else speed_up(row, best),
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes plain data; a number that does not exist becomes null."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    path.write_text(json.dumps(clean(content), indent=2, allow_nan=False) + "\n")
