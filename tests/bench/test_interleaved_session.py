"""Workers, turns and reports of the comparison, with a model small enough for a test."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparison import data
from comparison.client import start_workers
from comparison.report import summary, table, write_json
from comparison.session import Result, Schedule, compare_cell, disagreements
from comparison.workloads import ReviewData, Workload, review_classifier

COMPARE = Path(__file__).resolve().parents[2] / "bench" / "compare.py"
SCHEDULE = Schedule(warm_up=1, rounds=3, steps=2, epoch=7, threads=1)


LAYERS = review_classifier(30, 4, 3)
WORKLOAD = Workload("tiny", ReviewData(vocabulary=30, steps=6), LAYERS, batch=4)


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
    assert summary(results) == pytest.approx({"torch": 4.0})
    results += [result("fastrnn", [1.0]), result("torch", [16.0])]
    for late in results[2:]:
        late.cell = "GRU"
    assert summary(results) == pytest.approx({"torch": 8.0})


def test_other_losses_are_reported() -> None:
    ours = result("fastrnn", [1.0])
    assert not disagreements([ours, result("torch", [1.0], loss=0.501)])
    assert len(disagreements([ours, result("torch", [1.0], loss=0.6)])) == 1
    assert len(disagreements([ours, result("torch", [1.0], loss=math.nan)])) == 1


def test_json_has_no_number_that_does_not_exist(tmp_path: Path) -> None:
    write_json(tmp_path / "out.json", {"a": [1.5, math.nan], "b": {"c": math.inf}})
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": [1.5, None], "b": {"c": None}}


def test_compare_runs_without_peers(tmp_path: Path) -> None:
    command = [sys.executable, str(COMPARE), "--quick", "--rounds", "2", "--steps", "1"]
    command += ["--threads", "1", "--data", "generated", "--cells", "SimpleRNN", "--peers"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "generated IMDB-like reviews" in done.stdout
    assert "Losses agree." in done.stdout
    content = json.loads((tmp_path / "compare-imdb-200.json").read_text())
    assert [row["system"] for row in content["results"]] == ["fastrnn"]
    assert content["results"][0]["median_ms"] > 0
