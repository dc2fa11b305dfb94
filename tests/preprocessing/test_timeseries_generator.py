"""Batches are those of the class that Keras 3 still ships for old imports."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn.preprocessing.sequence import TimeseriesGenerator
from fastrnn.utils import set_random_seed

DATA = np.arange(40.0).reshape(20, 2)
TARGETS = np.arange(20) * 10


@pytest.mark.parametrize(
    "arguments",
    [
        {"length": 4},
        {"length": 4, "batch_size": 5},
        {"length": 5, "sampling_rate": 2, "batch_size": 3},
        {"length": 2, "stride": 3, "batch_size": 2, "reverse": True},
        {"length": 2, "start_index": 3, "end_index": 11, "batch_size": 4},
        {"length": 3, "start_index": 4, "end_index": 7},
    ],
    ids=str,
)
def test_batches(arguments: dict[str, Any], keras: ModuleType) -> None:
    legacy = importlib.import_module("keras.src.legacy.preprocessing.sequence")
    got = TimeseriesGenerator(DATA, TARGETS, **arguments)
    want = legacy.TimeseriesGenerator(DATA, TARGETS, **arguments)
    assert len(got) == len(want)
    for index, (x, y) in enumerate(got):
        want_x, want_y = want[index]
        np.testing.assert_array_equal(x, want_x)
        np.testing.assert_array_equal(y, want_y)
    assert index == len(want) - 1


def test_shuffled_samples_fit_their_targets() -> None:
    set_random_seed(3)
    batches = TimeseriesGenerator(DATA, TARGETS, length=4, batch_size=50, shuffle=True)
    (x, y), (other, _) = batches[0], batches[0]
    assert x.shape == (50, 4, 2)
    assert not np.array_equal(x, other)
    np.testing.assert_array_equal(x[:, -1, 0] / 2 + 1, y / 10)
    assert set(y // 10) == set(range(4, 20))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"length": 0}, "`length` must be a positive integer"),
        ({"length": 3, "stride": 0}, "`stride`"),
        ({"length": 20}, "must leave a step"),
        ({"length": 3, "end_index": 20}, "less than 20"),
        ({"length": 3, "start_index": -1}, "start_index=-1"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimeseriesGenerator(DATA, TARGETS, **arguments)


def test_refuses_targets_of_another_length_and_missing_batches() -> None:
    with pytest.raises(ValueError, match="20 steps, 19 targets"):
        TimeseriesGenerator(DATA, TARGETS[1:], length=3)
    with pytest.raises(IndexError, match="index=1"):
        TimeseriesGenerator(DATA, TARGETS, length=3)[1]
