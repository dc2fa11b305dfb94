"""The table of workloads, and what is read off it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from comparison import data
from comparison.made_up import SentenceData
from comparison.systems import PEERS, SUBJECT, SYSTEMS
from comparison.workloads import (
    CELLS,
    WORKLOADS,
    ReviewData,
    Workload,
    all_layers,
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
        tokens = isinstance(workload.data, ReviewData | SentenceData)
        assert tokens == (layers[0][0] == "Embedding")
        if layers[0][0] == "Embedding":
            assert layers[0][1]["input_dim"] == workload.data.vocabulary
        if "mask_zero" in layers[0][1]:
            assert workload.data.padding == "post"
        *_, (_, last) = all_layers(layers)
        classes = {"tagger": 10, "sensor": 3, "char": 60, "seq2seq": 90}.get(workload.name, 1)
        assert last["units"] == classes
        assert (classes > 1) == (workload.loss == "sparse_categorical_crossentropy")


def test_arguments_of_wrapped_layers_count() -> None:
    assert [kind for kind, _ in all_layers(WRAPPED)] == ["Bidirectional", "LSTM"]
    assert is_random(WRAPPED)
    assert [name for name, workload in WORKLOADS.items() if is_random(workload.layers("LSTM"))] == [
        "imdb-300-dropout",
        "forecast-1",
    ]


def test_only_pytorch_lacks_something() -> None:
    lacking = {
        (name, system)
        for name, workload in WORKLOADS.items()
        for system in (SUBJECT, *PEERS)
        if SYSTEMS[system].lacking(workload.layers(workload.cells[0]))
    }
    assert lacking == {
        (name, system)
        for name in ("imdb-300-dropout", "sensor")
        for system in ("torch", "torch-flush")
    }
    relu = ("LSTM", {"units": 2, "activation": "relu"})
    assert SYSTEMS["torch"].lacking([relu, relu]) == ["activation='relu' of LSTM"]
    assert SYSTEMS["torch"].lacking(WRAPPED) == ["recurrent_dropout"]
    assert not SYSTEMS["torch"].lacking([("SimpleRNN", relu[1]), ("Dense", relu[1])])


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
    assert describe(WORKLOADS["forecast-1"], "LSTM").startswith(
        "LSTM(50, return_sequences=True) -> Dropout(rate=0.2) -> LSTM(50, return_sequences=True)"
    )
    assert describe(WORKLOADS["seq2seq"], "LSTM").startswith(
        "EncoderDecoder(LSTM(256)) -> Dense(90, softmax), batch 64 x 30 steps"
    )
    assert "Conv1D(64, 5, relu) -> MaxPooling1D(4) -> LSTM(70)" in describe(
        WORKLOADS["cnn_lstm"], "LSTM"
    )
    assert "TimeDistributed(Dense(10, softmax)), batch 64 x 50 steps" in describe(
        WORKLOADS["tagger"], "LSTM"
    )


@pytest.mark.parametrize(
    ("name", "shape", "recurrent"),
    [
        ("forecast-1", (32, 60, 1), [50, 50, 50, 50]),
        ("forecast-24", (32, 30, 24), [100, 50]),
        ("forecast-gru", (32, 48, 7), [64]),
        ("tagger", (64, 50), [64]),
        ("sensor", (32, 30, 1662), [64, 128, 64]),
        ("char", (128, 40, 60), [128]),
        ("seq2seq", [(64, 30, 70), (64, 30, 90)], [256]),
        ("cnn_lstm", (30, 100), [70]),
    ],
)
def test_shapes_of_public_scripts(name: str, shape: Any, recurrent: list[int]) -> None:
    workload = WORKLOADS[name]
    layers = list(all_layers(workload.layers(workload.cells[0])))
    x = data.load(workload.data, train=workload.batch, test=2).x_train
    assert data.each(x, lambda array: array.shape) == shape
    assert [options["units"] for kind, options in layers if kind in CELLS] == recurrent
