"""`pad_sequences` is Keras's, element by element and error by error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn.preprocessing.sequence
import numpy as np
import pytest
from fastrnn.utils import pad_sequences
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SIDES = st.sampled_from(["pre", "post"])
INTS = st.integers(-(2**31), 2**31 - 1)
FLOATS = st.floats(-1e6, 1e6, width=32)
PAIRS = st.lists(INTS, min_size=2, max_size=2)


def outcome(function: Any, *arguments: Any, **options: Any) -> tuple[str, Any]:
    try:
        return "result", function(*arguments, **options)
    except Exception as error:
        return "error", type(error)


def assert_same(keras: ModuleType, sequences: Any, **options: Any) -> None:
    kind, got = outcome(pad_sequences, sequences, **options)
    want_kind, want = outcome(keras.utils.pad_sequences, sequences, **options)
    assert kind == want_kind, (got, want)
    if kind == "error":
        assert got is want
        return
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sequences=st.one_of(
        *(st.lists(st.lists(each, max_size=6), max_size=6) for each in (INTS, FLOATS, PAIRS))
    ),
    container=st.sampled_from([list, tuple, np.array]),
    maxlen=st.one_of(st.none(), st.integers(0, 8)),
    dtype=st.sampled_from(["int32", "int64", "float32", "float64", object]),
    padding=SIDES,
    truncating=SIDES,
    value=st.one_of(st.integers(-5, 5), st.just(0.5)),
)
def test_as_keras(keras: ModuleType, sequences: Any, container: Any, **options: Any) -> None:
    assert_same(keras, [container(sequence) for sequence in sequences], **options)


@pytest.mark.parametrize(
    ("sequences", "options"),
    [
        ([["a", "bc"], ["d"]], {"dtype": object, "value": "pad"}),
        ([["a", "bc"], ["d"]], {"dtype": "U3", "value": "pad"}),
        ([["a"]], {"value": "pad"}),
        ([[1], [2, 3]], {"maxlen": -1}),
        ([[1], [2, 3]], {"maxlen": 1.5}),
        ([[1], [[2], [3]]], {}),
        ([[[1, 2]], [[1, 2, 3]]], {}),
        ([[1], 2], {}),
        (7, {}),
        ([], {}),
        ([], {"maxlen": 3}),
        ([[], []], {}),
        ([[1], [2, 3]], {"padding": "both"}),
        ([[1], [2, 3]], {"truncating": None}),
        ([[2**40]], {}),
        ([[1.7, -1.7]], {}),
        ([[None]], {}),
        (np.arange(6).reshape(2, 3), {"maxlen": 2}),
        (np.array([[1], [2, 3]], dtype=object), {}),
        (["ab", "c"], {"dtype": object, "value": "-"}),
        ([{1: 2}], {"maxlen": 1}),
    ],
    ids=str,
)
def test_odd_arguments(sequences: Any, options: dict[str, Any], keras: ModuleType) -> None:
    assert_same(keras, sequences, **options)


def published() -> list[Any]:
    folder = os.environ.get("FASTRNN_CASES")
    if not folder:
        return [pytest.param(None, marks=pytest.mark.skip(reason="$FASTRNN_CASES is not set"))]
    cases = json.loads(Path(folder, "extra_cases.json").read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if case["kind"] == "pad_sequences"]


@pytest.mark.parametrize("case", published())
def test_published_numbers(case: dict[str, Any]) -> None:
    got = pad_sequences(case["x"], **case["config"])
    assert got.dtype == case["config"]["dtype"]
    np.testing.assert_allclose(got, case["expected"], atol=case["atol"], rtol=case["rtol"])


def test_path_of_tf_keras() -> None:
    assert fastrnn.preprocessing.sequence.pad_sequences is pad_sequences


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1]], None, "int32", "both"), "`padding` must be.*Received: padding='both'"),
        (([[1], 2],), "list of sequences.*2"),
        ((3,), "list of sequences.*int"),
        (([[1], [[2]]],), r"shape \(\).*Received: shape=\(1,\).*position 1"),
    ],
)
def test_messages(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pad_sequences(*arguments)
