"""Exponents, made-up problems, and the script that shows how costs grow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from measure.exponents import exponent, last_exponent
from measure.panels import Panel
from measure.problems import Problem
from measure.rank_prediction import (
    MESSAGE_MS,
    Network,
    Traffic,
    exchange_ms,
    prediction_table,
)
from measure.scaling_report import table, verdicts
from measure.trials import Trial, step_seconds
from support.mpi import needs_mpi

SCALING = Path(__file__).resolve().parents[2] / "bench" / "scaling.py"


@pytest.mark.parametrize("power", [0.0, 1.0, 1.7, -0.5])
def test_the_exponent_of_a_power_law_is_found(power: float) -> None:
    sizes = [10, 30, 70, 640]
    costs = [0.3 * size**power for size in sizes]
    assert exponent(sizes, costs) == pytest.approx(power)
    assert last_exponent(sizes, costs) == pytest.approx(power)
    assert exponent(sizes[::-1], costs[::-1]) == pytest.approx(power)


def test_the_exponent_is_that_of_least_squares(rng: np.random.Generator) -> None:
    sizes = np.array([25, 50, 100, 200, 400])
    costs = sizes**1.1 * rng.uniform(0.8, 1.2, 5)
    expected, _ = np.polyfit(np.log(sizes), np.log(costs), 1)
    assert exponent(sizes, costs) == pytest.approx(expected)
    assert last_exponent(sizes, costs) == pytest.approx(np.log2(costs[4] / costs[3]))
    unsorted = [2, 4, 0, 1, 3]
    assert last_exponent(sizes[unsorted], costs[unsorted]) == last_exponent(sizes, costs)


def test_a_fixed_cost_hides_growth_least_at_the_end() -> None:
    sizes = [10, 20, 40, 80]
    costs = [20 + size for size in sizes]
    assert exponent(sizes, costs) < last_exponent(sizes, costs) < 1


@pytest.mark.parametrize(
    ("sizes", "costs"), [([1], [1]), ([2, 2], [1, 3]), ([1, 2], [1]), ([1, 2], [0, 1])]
)
def test_an_exponent_needs_two_sizes_and_positive_costs(sizes: list, costs: list) -> None:
    with pytest.raises(ValueError, match=r"must .* Received: "):
        exponent(sizes, costs)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("padded", ["front", "end"])
def test_tokens_have_the_share_of_padding_asked_for(share: float, padded: str) -> None:
    problem = Problem(batch=20, steps=50, inputs="tokens", padding=share, padded=padded)
    x, y = problem.data()
    assert x.shape == (20, 50)
    assert y.shape == (20, 1)
    assert np.mean(x == 0) == pytest.approx(share, abs=0.01)
    real = x != 0
    assert real.any(axis=1).all()
    lengths = real.sum(axis=1)
    assert len(set(lengths)) > 5 or share == 0.0
    step = np.arange(50)
    expected = step >= 50 - lengths[:, None] if padded == "front" else step < lengths[:, None]
    np.testing.assert_array_equal(real, expected)
    np.testing.assert_array_equal(x, problem.data()[0])


def test_numbers_have_the_shape_of_the_problem() -> None:
    problem = Problem("GRU", batch=3, steps=7, units=5, features=2)
    x, _ = problem.data()
    assert x.shape == (3, 7, 2)
    assert problem.model().predict(x, verbose=0).shape == (3, 1)
    assert problem.title == "GRU"
    assert Problem(inputs="tokens", padded="end").title == "LSTM, tokens, padded at the end"


def test_steps_are_timed_and_the_threads_are_put_back(set_threads) -> None:
    import fastrnn

    set_threads(2)
    small, large = (Problem("SimpleRNN", batch=2, steps=3, units=size) for size in (2, 4))
    seconds = step_seconds([Trial(small, 1), Trial(large, 2)], rounds=2, turn_seconds=0.0)
    assert len(seconds) == 2
    assert min(seconds) > 0
    assert fastrnn.get_num_threads() == 2


def test_tables_show_how_costs_grow() -> None:
    costs = {"LSTM": [1.0, 2.0, 8.0], "GRU": [3.0, 6.0, 12.0]}
    linear = Panel("steps", "steps", "ms", (10.0, 20.0, 40.0), costs, "linear")
    rows = [line.split() for line in table(linear).splitlines()]
    assert rows[2] == ["LSTM", "1.00", "2.00", "8.00", "1.50", "2.00"]
    assert rows[3] == ["GRU", "3.00", "6.00", "12.0", "1.00", "1.00"]
    other = Panel("threads", "threads", "ms", (1.0, 2.0, 4.0), costs, "other")
    rows = [line.split() for line in table(other).splitlines()]
    assert rows[2] == ["LSTM", "1.00", "2.00", "(0.50x)", "8.00", "(0.12x)"]
    assert verdicts([linear, other]) == ["ms against steps: exponent 1.00 to 1.50; linear is 1"]


def test_scaling_runs(tmp_path: Path) -> None:
    command = [sys.executable, str(SCALING), "--quick", "--rounds", "1", "--threads", "1"]
    command += ["--cells", "SimpleRNN", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "scaling.json").read_text())
    panels = {panel["name"]: panel for panel in content["panels"]}
    assert list(panels) == [
        "steps",
        "batch",
        "units",
        "threads",
        "padding",
        "memory against steps",
        "memory against batch",
    ]
    assert list(panels["steps"]["series"]) == ["SimpleRNN", "SimpleRNN, tokens"]
    assert len(panels["padding"]["series"]) == 3
    assert all(min(costs) > 0 for panel in panels.values() for costs in panel["series"].values())
    for axis in ("steps", "batch"):
        # The tape holds a state for each row and step, and one before them.
        assert panels[f"memory against {axis}"]["exponents"]["tape"][0] == pytest.approx(
            1, abs=0.05
        )
        assert f"against {axis}: exponent" in done.stdout
    assert "Resident size from step" in done.stdout


def test_ranks_send_two_parts_of_their_sums() -> None:
    dense = Traffic(dense=1000, width=0, own_rows=0, all_rows=0)
    assert dense.bytes_sent(1) == 0
    assert dense.bytes_sent(2) == 4 * 1000
    assert dense.bytes_sent(4) == 4 * 1500
    rows = Traffic(dense=0, width=3, own_rows=10, all_rows=30)
    assert rows.bytes_sent(2) == 4 * 40 * 4 / 2


def test_an_exchange_takes_latency_messages_and_bytes() -> None:
    network = Network("test", gbit=8.0, latency_ms=1.0)
    traffic = Traffic(dense=250_000, width=0, own_rows=0, all_rows=0)
    assert exchange_ms(traffic, 1, network) == 0.0
    # Two exchanges with one message each, and a megabyte at a gigabyte per second.
    assert exchange_ms(traffic, 2, network) == pytest.approx(2 * (1 + MESSAGE_MS) + 1)
    tables = Traffic(dense=0, width=3, own_rows=31_250, all_rows=31_250)
    assert exchange_ms(tables, 2, network) == pytest.approx(2 * (1 + 2 * MESSAGE_MS) + 0.5)


def test_predicted_gains_count_samples() -> None:
    none = Traffic(0, 0, 0, 0)
    shared = prediction_table("shared", [40.0, 10.0], [none], [4], grows=False)
    grown = prediction_table("grown", [40.0, 40.0], [none], [4], grows=True)
    gains = [[line.split("(")[1] for line in text.splitlines()[2:]] for text in (shared, grown)]
    assert gains == [["4.0x)", "4.0x)"], ["4.0x)", "4.0x)"]]


@needs_mpi
def test_ranks_are_measured(tmp_path: Path) -> None:
    command = [sys.executable, str(SCALING), "--ranks", "--quick", "--threads", "1"]
    command += ["--cells", "SimpleRNN", "--data", "generated", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "PREDICTION, not measured" in done.stdout
    (found,) = json.loads((tmp_path / "ranks.json").read_text())["ranks"].values()
    assert set(found["ms"]) == set(found["cpu_ms"]) == set(found["sent"])
    assert found["sent"]["1 rank"] == 0 < found["sent"]["2 ranks"]
