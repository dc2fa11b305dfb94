"""Windows, targets and batches are those of Keras's `timeseries_dataset_from_array`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import preprocessing
from fastrnn.utils import set_random_seed, timeseries_dataset_from_array

DATA = np.arange(60, dtype=np.float32).reshape(30, 2)
TARGETS = np.arange(30) * 7


def batches(dataset: Any) -> list[tuple[np.ndarray, ...]]:
    found = [each if isinstance(each, tuple) else (each,) for each in dataset]
    return [tuple(np.asarray(part) for part in each) for each in found]


@pytest.mark.parametrize(
    "arguments",
    [
        {"sequence_length": 4},
        {"sequence_length": 4, "batch_size": 5},
        {"sequence_length": 1, "batch_size": 7},
        {"sequence_length": 30},
        {"sequence_length": 3, "sequence_stride": 4, "batch_size": 2},
        {"sequence_length": 5, "sampling_rate": 3, "batch_size": 4},
        {"sequence_length": 4, "start_index": 6, "end_index": 20, "batch_size": 4},
        {"sequence_length": 2, "sampling_rate": 2, "sequence_stride": 3, "start_index": 5},
        {"sequence_length": 2, "end_index": 9, "batch_size": None},
    ],
    ids=str,
)
def test_as_keras(arguments: dict[str, Any], keras: ModuleType) -> None:
    theirs = keras.utils.timeseries_dataset_from_array
    few = TARGETS if "start_index" in arguments else TARGETS[:25]
    for data, targets in ((DATA, TARGETS), (DATA, None), (DATA[:, 0], few), (DATA, DATA)):
        dataset = timeseries_dataset_from_array(data, targets, **arguments)
        want = batches(theirs(data, targets, **arguments))
        assert len(dataset) == len(want)
        for _ in range(2):
            got = batches(dataset)
            assert len(got) == len(want)
            for ours, expected in zip(got, want, strict=True):
                assert len(ours) == len(expected)
                for part, other in zip(ours, expected, strict=True):
                    assert part.dtype == other.dtype
                    np.testing.assert_array_equal(part, other)


def test_lists_and_the_other_path() -> None:
    assert preprocessing.timeseries_dataset_from_array is timeseries_dataset_from_array
    ((x, y),) = timeseries_dataset_from_array([1.0, 2.0, 3.0], [4, 5, 6], 2)
    assert x.tolist() == [[1.0, 2.0], [2.0, 3.0]]
    assert y.tolist() == [4, 5]


def test_shuffled() -> None:
    def make(seed: int | None = None) -> list[Any]:
        dataset = timeseries_dataset_from_array(
            DATA, TARGETS, 3, batch_size=4, shuffle=True, seed=seed
        )
        return [batches(dataset), batches(dataset)]

    first, second = make(seed=5)
    order, other = (np.concatenate([y for _, y in each]) for each in (first, second))
    assert sorted(order) == sorted(other) == TARGETS[:28].tolist()
    assert not np.array_equal(order, other)
    assert not np.array_equal(order, TARGETS[:28])
    for x, y in first:
        np.testing.assert_array_equal(x[:, 0, 0] / 2, y / 7)
    again = np.concatenate([y for _, y in make(seed=5)[1]])
    np.testing.assert_array_equal(again, other)
    seeded = []
    for _ in range(2):
        set_random_seed(9)
        seeded.append(np.concatenate([y for _, y in make()[0]]))
    np.testing.assert_array_equal(*seeded)
    assert not np.array_equal(seeded[0], order)


def test_only_a_batch_is_copied() -> None:
    """All windows at once would take 8 TB."""
    series = np.zeros(2_000_000, np.float32)
    dataset = timeseries_dataset_from_array(series, None, 1_000_000, batch_size=2)
    assert len(dataset) == 500_001
    assert next(iter(dataset)).shape == (2, 1_000_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequence_length": 0}, "`sequence_length` must be a positive integer"),
        ({"sequence_length": 2.0}, "`sequence_length` must be a positive integer"),
        ({"sequence_length": 31}, "`sequence_length` must leave a window"),
        ({"sequence_length": 6, "sampling_rate": 6}, "`sequence_length` must leave a window"),
        ({"sequence_length": 2, "sequence_stride": 30}, "`sequence_stride` must be less"),
        ({"sequence_length": 2, "sampling_rate": 0}, "`sampling_rate` must be a positive integer"),
        ({"sequence_length": 2, "sampling_rate": 30}, "`sampling_rate` must be less"),
        ({"sequence_length": 2, "batch_size": 0}, "`batch_size` must be a positive integer"),
        ({"sequence_length": 2, "start_index": -1}, "`start_index` must be an integer >= 0"),
        ({"sequence_length": 2, "start_index": 30}, "`start_index` must be less"),
        ({"sequence_length": 2, "end_index": 31}, "`end_index` must be .*at most 30"),
        ({"sequence_length": 2, "start_index": 5, "end_index": 5}, "`end_index` must be more"),
        ({"sequence_length": 2, "targets": []}, "with 30 steps and 0 targets"),
        ({"sequence_length": 2, "targets": TARGETS[:9], "start_index": 5}, "`targets` must have"),
        ({"sequence_length": 2, "data": 3}, "`data` must be an array"),
    ],
    ids=str,
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        timeseries_dataset_from_array(**{"data": DATA, "targets": None, **arguments})
