"""The table of workloads, and what is read off it."""

from __future__ import annotations

import json

import pytest
from comparison.systems import PEERS, SUBJECT, SYSTEMS
from comparison.workloads import (
    CELLS,
    WORKLOADS,
    ReviewData,
    Workload,
    arguments_of,
    describe,
    is_random,
)

WRAPPED = [("Bidirectional", {"layer": ("LSTM", {"units": 4, "recurrent_dropout": 0.5})})]


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_layers_and_data_fit_each_other(workload: Workload) -> None:
    assert set(workload.cells) <= set(CELLS)
    for cell in workload.cells:
        layers = workload.layers(cell)
        assert json.dumps(layers)
        assert isinstance(workload.data, ReviewData) == (layers[0][0] == "Embedding")
        if layers[0][0] == "Embedding":
            assert layers[0][1]["input_dim"] == workload.data.vocabulary
        if "mask_zero" in layers[0][1]:
            assert workload.data.padding == "post"
        assert layers[-1][1]["units"] == 1


def test_arguments_of_wrapped_layers_count() -> None:
    assert set(arguments_of(WRAPPED)) == {"layer", "units", "recurrent_dropout"}
    assert is_random(WRAPPED)
    assert [name for name, workload in WORKLOADS.items() if is_random(workload.layers("LSTM"))] == [
        "imdb-300-dropout"
    ]


def test_only_pytorch_lacks_something_and_only_dropout() -> None:
    lacking = {
        (name, system)
        for name, workload in WORKLOADS.items()
        for system in (SUBJECT, *PEERS)
        if SYSTEMS[system].lacking(workload.layers(workload.cells[0]))
    }
    assert lacking == {("imdb-300-dropout", "torch"), ("imdb-300-dropout", "torch-flush")}


def test_a_model_is_described_as_it_is_built() -> None:
    assert describe(WORKLOADS["bidirectional"], "LSTM").startswith(
        "Embedding(10000, 32) -> Bidirectional(LSTM(64)) -> Dense(1, sigmoid), batch 64 x 200 steps"
    )
    assert "LSTM(100, dropout=0.3, recurrent_dropout=0.3)" in describe(
        WORKLOADS["imdb-300-dropout"], "LSTM"
    )
    assert "Embedding(10000, 32, mask_zero=True)" in describe(WORKLOADS["masked"], "LSTM")
    assert "SimpleRNN(50, relu) -> Dense(1), batch 32 x 10" in describe(
        WORKLOADS["numeric"], "SimpleRNN"
    )
