"""Workers, turns and reports of the comparison, with a model small enough for a test."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparison import data
from comparison.client import start_workers
from comparison.keras_style import FastRnn
from comparison.report import table, write_json
from comparison.session import Result, Schedule, compare_cell, disagreements, verdict
from comparison.trainee import Plan
from comparison.turns import rounds_in_time
from comparison.weights import load_weights
from comparison.workloads import ReviewData, Workload, review_classifier

COMPARE = Path(__file__).resolve().parents[2] / "bench" / "compare.py"
SCHEDULE = Schedule(warm_up=1, rounds=3, steps=2, epoch=7, threads=1)


LAYERS = review_classifier(30, 4, 3)
WORKLOAD = Workload("tiny", ReviewData(vocabulary=30, steps=6), LAYERS, batch=4, turn=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data.save(data.load(WORKLOAD.data, "generated", train=28, test=10), tmp_path)
    return tmp_path


def result(system: str, ms: list[float], loss: float = 0.5) -> Result:
    return Result(
        "tiny", "LSTM", system, SCHEDULE, None, ms, [loss] * len(ms), 0.7, 0.6, 0.8, 100.0
    )


def test_a_system_is_trained_for_the_rounds_asked_for(folder: Path) -> None:
    with start_workers(["fastrnn"], threads=1) as workers:
        (trained,) = compare_cell(WORKLOAD, "GRU", folder, workers, SCHEDULE, say=lambda text: None)
        (cut,) = compare_cell(
            WORKLOAD, "LSTM", folder, workers, SCHEDULE, say=lambda text: None, deadline=-math.inf
        )
    assert trained.error is None
    assert len(trained.ms_per_step) == len(trained.losses) == 3
    assert trained.first_loss == pytest.approx(math.log(2), rel=0.05)
    assert trained.epoch_measured
    assert trained.epoch_seconds == pytest.approx(np.mean(trained.ms_per_step) * 7 / 1000)
    assert 0.0 <= trained.test_metric <= 1.0
    assert trained.peak_mb > 10
    assert [array.shape for array in trained.weights] == [
        (30, 4),
        (4, 9),
        (3, 9),
        (2, 9),
        (3, 1),
        (1,),
    ]
    assert len(cut.ms_per_step) == 2
    assert not cut.epoch_measured


def test_a_system_that_fails_says_why(folder: Path) -> None:
    activation = {"units": 1, "activation": "sigmiod"}
    broken = replace(WORKLOAD, layers=lambda cell: [*LAYERS(cell)[:2], ("Dense", activation)])
    with start_workers(["fastrnn"], threads=1) as workers:
        (failed,) = compare_cell(broken, "LSTM", folder, workers, SCHEDULE, say=lambda text: None)
    assert "sigmiod" in failed.error.splitlines()[0]
    assert "failed: " in table([failed])


def test_rows_of_the_training_set_start_over_at_its_end(folder: Path) -> None:
    with start_workers(["fastrnn"], threads=1) as workers:
        long = Schedule(warm_up=1, rounds=1, steps=20, epoch=7, threads=1)
        (trained,) = compare_cell(WORKLOAD, "LSTM", folder, workers, long, say=lambda text: None)
    assert trained.error is None


def test_the_table_shows_ratios_of_medians() -> None:
    results = [result("fastrnn", [2.0, 1.0, 9.0]), result("torch", [8.0, 7.0, 30.0])]
    lines = table(results).splitlines()
    assert "4.0x" in lines[3]
    assert "1.00 - 9.00" in lines[2]
    assert len({len(line) for line in (lines[0], *lines[2:])}) == 1


def test_other_losses_are_reported() -> None:
    ours = result("fastrnn", [1.0])
    assert not disagreements([ours, result("torch", [1.0], loss=0.501)])
    assert len(disagreements([ours, result("torch", [1.0], loss=0.6)])) == 1
    assert len(disagreements([ours, result("torch", [1.0], loss=math.nan)])) == 1
    other_start = replace(result("torch", [1.0]), first_loss=0.7001)
    assert len(disagreements([ours, other_start])) == 1


def test_a_workload_may_allow_more() -> None:
    ours, theirs = result("fastrnn", [1.0]), result("torch", [1.0], loss=0.6)
    assert disagreements([ours, replace(theirs, tolerance=0.19)])
    assert not disagreements([ours, replace(theirs, tolerance=0.21)])


def test_without_us_the_peers_are_held_to_each_other() -> None:
    failed = replace(result("fastrnn", []), error="no")
    peers = [result("keras-tf", [1.0]), result("torch", [1.0], loss=0.6)]
    assert len(disagreements([failed, *peers])) == 1
    assert verdict([failed, peers[0]]) == ["Losses agree."]
    assert verdict([failed]) == []


def test_losses_under_random_masks_need_only_be_near() -> None:
    ours, near, far, lost = (
        replace(result(system, [1.0], loss=loss), random=True)
        for system, loss in (
            ("fastrnn", 0.5),
            ("keras-tf", 0.6),
            ("keras-xla", 0.9),
            ("keras-jax", math.nan),
        )
    )
    assert not disagreements([ours, near])
    assert "near each other" in verdict([ours, near])[0]
    assert len(disagreements([ours, near, far, lost])) == 2
    assert len(disagreements([ours, replace(near, first_loss=0.7001)])) == 1


def test_with_dropout_the_first_loss_is_that_of_the_test_set(folder: Path) -> None:
    layers = review_classifier(30, 4, 3, dropout=0.3, recurrent_dropout=0.3)
    dropping = replace(WORKLOAD, layers=layers)
    with start_workers(["fastrnn"], threads=1) as workers:
        exact, dropped = (
            compare_cell(workload, "LSTM", folder, workers, SCHEDULE, say=lambda text: None)[0]
            for workload in (WORKLOAD, dropping)
        )
    assert dropped.error is None
    assert dropped.random
    assert not exact.random
    plan = Plan(
        WORKLOAD.layers("LSTM"),
        load_weights(folder / "initial.npz"),
        data.open_saved(folder),
        4,
        "binary_crossentropy",
        "accuracy",
        0.001,
    )
    assert dropped.first_loss == pytest.approx(FastRnn(plan, 1).evaluate(4)[0], rel=1e-6)
    assert dropped.first_loss != exact.first_loss


def test_a_loss_that_has_vanished_is_not_compared_digit_by_digit() -> None:
    ours, theirs = result("fastrnn", [1.0], loss=1e-7), result("torch", [1.0], loss=3e-7)
    assert not disagreements([ours, theirs])
    assert disagreements([ours, result("torch", [1.0], loss=1e-2)])


def test_rounds_end_when_their_time_is_over() -> None:
    def rounds(**limits: float) -> list[int]:
        return list(rounds_in_time(5, lambda text: None, **limits))

    assert rounds(seconds=math.inf) == [0, 1, 2, 3, 4]
    assert rounds(seconds=-1.0) == [0, 1]
    assert rounds(seconds=math.inf, deadline=time.perf_counter() - 1.0) == [0, 1]
    assert rounds(seconds=1000.0, deadline=time.perf_counter() + 1000.0) == [0, 1, 2, 3, 4]


def test_json_has_no_number_that_does_not_exist(tmp_path: Path) -> None:
    write_json(tmp_path / "out.json", {"a": [1.5, math.nan], "b": {"c": math.inf}})
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": [1.5, None], "b": {"c": None}}


def test_compare_runs_without_peers(tmp_path: Path) -> None:
    command = [sys.executable, str(COMPARE), "--quick", "--rounds", "2", "--steps", "1"]
    command += ["--threads", "1", "--data", "generated", "--cells", "SimpleRNN", "--busy", "1"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path), "--peers"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "threads: 1 each; beside 1 busy process\n" in done.stdout
    assert "generated reviews" in done.stdout
    assert "Losses agree." in done.stdout
    content = json.loads((tmp_path / "compare-imdb-200-busy-1.json").read_text())
    assert content["busy_processes"] == 1
    assert [row["system"] for row in content["results"]] == ["fastrnn"]
    assert content["results"][0]["median_ms"] > 0
    assert content["overview"] == [
        {
            "workload": "imdb-200 SimpleRNN",
            "trained": True,
            "ms": {"fastrnn": content["results"][0]["median_ms"]},
            "best_peer": None,
            "speed_up_over_best_peer": None,
        }
    ]


def test_compare_predicts_and_trains_on_numbers(tmp_path: Path) -> None:
    command = [sys.executable, str(COMPARE), "--quick", "--rounds", "2", "--steps", "3"]
    command += ["--threads", "1", "--data", "generated", "--workload", "numeric", "predict"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path), "--peers"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Outputs agree" in done.stdout
    content = json.loads((tmp_path / "compare-numeric-predict.json").read_text())
    (predicted,) = content["predictions"]
    assert len(predicted["ms_per_batch"]) == 2
    assert len(predicted["ms_per_call"]) == 20
    assert [row["workload"] for row in content["overview"]] == [
        "numeric SimpleRNN",
        "predict LSTM, a batch",
        "predict LSTM, one sample",
    ]
