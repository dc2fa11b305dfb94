"""The table of `summary`, against Keras's own text."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import layers
from fastrnn.layers import Input
from fastrnn.models import Model, Sequential


def text(model: Any, **arguments: Any) -> str:
    printed: list[str] = []
    model.summary(print_fn=printed.append, **arguments)
    assert len(printed) == 1
    return printed[0]


def make(sequential: Any, lib: Any) -> Any:
    return sequential(
        [
            lib.Embedding(1000, 8, name="words"),
            lib.LSTM(6, return_sequences=True, name="lower"),
            lib.Dropout(0.5, name="drop"),
            lib.GRU(5, name="upper"),
            lib.Dense(3, activation="softmax", name="top"),
        ],
        name="mine",
    )


@pytest.mark.parametrize("state", ["unbuilt", "built", "trained", "frozen"])
def test_the_table_is_that_of_keras(keras: ModuleType, state: str) -> None:
    ours, theirs = make(Sequential, layers), make(keras.Sequential, keras.layers)
    for model in (ours, theirs):
        if state != "unbuilt":
            model.build((None, 7))
        if state == "frozen":
            model.layers[1].trainable = False
        if state == "trained":
            model.compile("adam", "sparse_categorical_crossentropy")
            model.fit(np.ones((2, 7), int), np.ones(2, int), verbose=0)
    wanted = [line.rstrip() for line in text(theirs).splitlines()]
    assert text(ours).splitlines() == wanted


def test_long_names_and_wide_tables_keep_their_columns() -> None:
    model = Sequential([layers.Input((4,)), layers.Dense(10**6, name="d" * 60)])
    lines = text(model).splitlines()
    table = [line for line in lines if line[0] in "┏┃┡│├└"]
    assert len({len(line) for line in table}) == 1
    assert any("5,000,000" in line and "d" * 60 + " (Dense)" in line for line in table)
    assert "Total params: 5,000,000 (19.07 MB)" in lines[-3]
    wide = text(model, line_length=150).splitlines()
    assert len(wide[1]) == 150


def test_trainable_column_and_default_printing(capsys: pytest.CaptureFixture[str]) -> None:
    model = Sequential([layers.Input((4,)), layers.Dense(2), layers.Dropout(0.1)])
    model.summary(show_trainable=True)
    printed = capsys.readouterr().out
    assert re.search(r"Param # ┃ Trainable ┃", printed)
    assert re.search(r"10 │ Y         │", printed)
    assert re.search(r"0 │ -         │", printed)


@pytest.mark.parametrize("argument", [{"positions": [0.5, 1.0]}, {"layer_range": ["a", "b"]}])
def test_what_summary_cannot_do_yet_is_refused(argument: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not supported yet"):
        Sequential([layers.Dense(1)]).summary(**argument)


def branched() -> Model:
    x = Input((5, 3), name="x")
    _, h, c = layers.LSTM(4, return_state=True, name="states")(x)
    head = Sequential([layers.Input((4,)), layers.Dense(2, name="inside")], name="head")
    return Model(x, [head(h), head(c), layers.GRU(4, name="both")(x, initial_state=h)])


def test_a_graph_that_is_no_row_says_what_each_layer_is_called_on() -> None:
    printed: list[str] = []
    branched().summary(print_fn=printed.append)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed[0].split("\n")]
    table = [row for row in rows if row]
    assert table == [
        ["x (InputLayer)", "(None, 5, 3)", "0", "-"],
        ["states (LSTM)", "[(None, 4), (None, 4), (None, 4)]", "128", "x[0][0]"],
        ["head (Sequential)", "(None, 2)", "10", "states[0][1]"],
        ["", "", "", "states[0][2]"],
        ["both (GRU)", "(None, 4)", "108", "x[0][0]"],
        ["", "", "", "states[0][1]"],
    ]
    assert "Total params: 246" in printed[0]  # `head` once


def test_models_among_the_layers_may_be_expanded() -> None:
    printed: list[str] = []
    branched().summary(print_fn=printed.append, expand_nested=True, show_trainable=True)
    (line,) = (line for line in printed[0].split("\n") if "inside" in line)
    assert [cell.strip() for cell in line.split("│")[1:-1]] == [
        "└ inside (Dense)",
        "(None, 2)",
        "10",
        "-",
        "Y",
    ]


def test_a_functional_row_has_no_column_of_connections() -> None:
    x = Input((5, 3))
    printed: list[str] = []
    Model(x, layers.Dense(1)(layers.GRU(4)(x))).summary(print_fn=printed.append)
    assert "Connected" not in printed[0]
