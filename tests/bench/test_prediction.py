"""Predictions by turns: which samples, with which weights, and whether they agree."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparison import data
from comparison.client import WorkerError, start_workers
from comparison.keras_style import FastRnn
from comparison.prediction import (
    Prediction,
    PredictionSchedule,
    compare_predictions,
    disagreements,
    verdict,
)
from comparison.report import prediction_table
from comparison.trainee import Plan
from comparison.weights import load_weights
from comparison.workloads import ReviewData, Workload, review_classifier

LAYERS = review_classifier(30, 4, 3)
WORKLOAD = Workload(
    "tiny", ReviewData(vocabulary=30, steps=6), LAYERS, batch=4, turn=7, predicts=True
)
SCHEDULE = PredictionSchedule(rounds=3, samples=7, calls=2, training=5, threads=1)


def prediction(system: str, outputs: list[float]) -> Prediction:
    return Prediction(
        "tiny",
        "LSTM",
        system,
        SCHEDULE,
        ms_per_batch=[4.0, 2.0, 3.0],
        ms_per_call=[5.0, 7.0, 100.0],
        in_batches=[np.array(outputs)[:, None]],
        in_calls=[np.array(outputs[:1])[:, None]],
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data.save(data.load(WORKLOAD.data, "generated", train=20, test=21), tmp_path)
    return tmp_path


def test_each_round_predicts_other_samples_with_trained_weights(folder: Path) -> None:
    with start_workers(["fastrnn"], threads=1) as workers:
        (done,) = compare_predictions(
            WORKLOAD, "LSTM", folder, workers, SCHEDULE, say=lambda text: None
        )
    assert done.error is None
    assert len(done.ms_per_batch) == 3
    assert len(done.ms_per_call) == 6
    x_test = np.load(folder / "x_test.npy")
    weights = load_weights(folder / "weights.npz")
    plan = Plan(LAYERS("LSTM"), weights, {"x_train": x_test}, 4, "mse", "mse", 0.001)
    expected = FastRnn(plan, 1).predict(x_test, 21).outputs
    # The warm-up comes first: a full batch and the rest of a turn, and three calls.
    np.testing.assert_allclose(np.concatenate(done.in_batches[1:]), expected, atol=1e-6)
    np.testing.assert_allclose(np.concatenate(done.in_calls[1:]), expected[:6], atol=1e-6)
    assert [len(outputs) for outputs in done.in_batches] == [4 + 7 % 4, 7, 7, 7]
    assert np.ptp(expected) > 0
    assert not disagreements([done])


def test_a_peer_trains_where_we_cannot(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stub:
        """A worker that writes what it is asked for."""

        def __init__(self, fails: bool) -> None:
            self.fails, self.commands = fails, []

        def call(self, command: str, **arguments: Any) -> dict[str, Any]:
            self.commands.append(command)
            if self.fails:
                raise WorkerError("broken")
            if "first" in arguments:
                np.save(arguments["path"], np.full((arguments["count"], 1), 0.5))
            seconds = [0.25] * arguments.get("count", 0)
            return {"seconds": 3.0 if command == "predict" else seconds}

    monkeypatch.setattr("comparison.turns.SETTLE", 0.0)
    workers = {"fastrnn": Stub(True), "torch": Stub(False), "torch-flush": Stub(False)}
    ours, first, second = compare_predictions(
        WORKLOAD, "LSTM", folder, workers, SCHEDULE, say=lambda text: None
    )
    assert ours.error == "broken"
    assert workers["torch"].commands[:4] == ["prepare", "run", "weights", "prepare"]
    assert "run" not in workers["torch-flush"].commands
    assert first.ms_per_batch == pytest.approx([1000 * 3.0 * 4 / 7] * 3)
    assert second.call_ms == pytest.approx(250.0)


def test_outputs_that_differ_are_reported() -> None:
    ours = prediction("fastrnn", [0.1, 0.9])
    assert verdict([ours, prediction("torch", [0.10005, 0.9])])[0].startswith("Outputs agree")
    assert "between 0.100 and 0.900" in verdict([ours])[0]
    assert len(disagreements([ours, prediction("torch", [0.1, 0.9002])])) == 1
    assert len(disagreements([ours, prediction("torch", [0.1, math.nan])])) == 1
    failed = Prediction("tiny", "LSTM", "keras-tf", SCHEDULE, error="no memory")
    assert not disagreements([ours, failed])
    assert verdict([failed]) == []


def test_the_table_shows_medians_and_both_speed_ups() -> None:
    ours, theirs = prediction("fastrnn", [0.1, 0.9]), prediction("torch", [0.1, 0.9])
    theirs.ms_per_batch, theirs.ms_per_call = [30.0, 6.0, 12.0], [3.5, 3.5, 1.0]
    line = prediction_table([ours, theirs]).splitlines()[3]
    assert line.split()[1:] == [
        "12.00", "6.00", "-", "30.00", "4.0x", "3.50", "1.00", "-", "3.50", "0.5x", "0.0e+00",
    ]  # fmt: skip
