"""The command line's rounds and steps."""

from __future__ import annotations

import math

import pytest
from compare import ALL_SECONDS, parse, prediction_schedule, schedule
from comparison.workloads import WORKLOADS


def test_by_default_an_epoch_is_trained() -> None:
    options = parse([])
    assert options.workload == ["imdb-200"]
    plan = schedule(options, WORKLOADS["imdb-200"])
    assert plan.epoch == 390
    assert plan.covers_epoch(plan.rounds)
    assert not plan.covers_epoch(plan.rounds - 1)
    assert plan.seconds == math.inf


def test_all_workloads_have_a_limit_of_time() -> None:
    options = parse(["--workload", "all"])
    assert options.workload == list(WORKLOADS)
    assert options.stem == "all"
    assert schedule(options, WORKLOADS["wide-1024"]).seconds == ALL_SECONDS
    assert prediction_schedule(options, WORKLOADS["predict"]).seconds == math.inf
    options = parse(["--workload", "all", "--seconds", "7"])
    assert schedule(options, WORKLOADS["numeric"]).seconds == 7
    assert prediction_schedule(options, WORKLOADS["predict"]).seconds == 7


def test_rounds_and_steps_can_be_given() -> None:
    plan = schedule(parse(["--rounds", "3", "--steps", "8"]), WORKLOADS["imdb-300"])
    assert (plan.rounds, plan.steps) == (3, 8)


def test_quick_takes_shorter_turns() -> None:
    options = parse(["--quick"])
    for workload in WORKLOADS.values():
        plan = schedule(options, workload)
        assert plan.rounds == 5
        assert 1 <= plan.steps <= math.ceil(workload.turn / 2)
    assert prediction_schedule(options, WORKLOADS["predict"]).samples == 200


@pytest.mark.parametrize(("rounds", "samples"), [(None, 5000), (2, 5000), (100, 250)])
def test_no_review_is_predicted_twice(rounds: int | None, samples: int) -> None:
    options = parse([] if rounds is None else ["--rounds", str(rounds)])
    plan = prediction_schedule(options, WORKLOADS["predict"])
    assert plan.samples == samples
    assert plan.rounds * plan.samples <= 25_000
