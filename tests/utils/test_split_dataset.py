"""Which samples go left and right, and what cannot be split."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import layers, models
from fastrnn.utils import set_random_seed, split_dataset, timeseries_dataset_from_array

X, Y = np.arange(20.0, dtype=np.float32).reshape(10, 2), np.arange(10)


def values(dataset: Any) -> list[Any]:
    return [
        tuple(np.asarray(part).tolist() for part in each)
        if isinstance(each, tuple)
        else np.asarray(each).tolist()
        for each in dataset
    ]


@pytest.mark.parametrize(
    ("sizes", "left", "right"),
    [
        ({"left_size": 0.8}, 8, 2),
        ({"left_size": 3}, 3, 7),
        ({"right_size": 0.25}, 8, 2),
        ({"right_size": 4}, 6, 4),
        ({"left_size": 0.2, "right_size": 3}, 2, 3),
        ({"left_size": 0.5, "right_size": 0.5}, 5, 5),
    ],
    ids=str,
)
def test_sizes(sizes: dict[str, Any], left: int, right: int) -> None:
    first, second = split_dataset(Y, **sizes)
    assert values(first) == list(range(left))
    assert values(second) == list(range(10 - right, 10))
    assert (len(first), len(second)) == (left, right)


def test_lists_and_tuples_give_tuples() -> None:
    for dataset in ((X, Y), [X, Y]):
        first, second = split_dataset(dataset, left_size=9)
        assert values(second) == [([18.0, 19.0], 9)]
        assert values(first) == [(x, y) for x, y in zip(X[:9].tolist(), range(9), strict=True)]
        assert values(first) == values(first)


def test_shuffled_samples_stay_whole() -> None:
    first, second = split_dataset((X, Y), left_size=0.5, shuffle=True, seed=3)
    both = values(first) + values(second)
    assert sorted(both) == list(zip(X.tolist(), Y.tolist(), strict=True)) != both
    again = split_dataset((X, Y), left_size=0.5, shuffle=True, seed=3)
    assert values(again[0]) == values(first)
    set_random_seed(1)
    drawn = values(split_dataset(Y, left_size=5, shuffle=True)[0])
    other = values(split_dataset(Y, left_size=5, shuffle=True)[0])
    set_random_seed(1)
    assert values(split_dataset(Y, left_size=5, shuffle=True)[0]) == drawn != other


def test_batches_are_opened_and_made_again() -> None:
    windows = timeseries_dataset_from_array(Y[:-1], Y[2:], 2, batch_size=3)
    first, second = split_dataset(windows, right_size=2)
    assert values(first) == [
        ([[0, 1], [1, 2], [2, 3]], [2, 3, 4]),
        ([[3, 4], [4, 5], [5, 6]], [5, 6, 7]),
    ]
    assert values(second) == [([[6, 7], [7, 8]], [8, 9])]
    samples, _ = split_dataset(windows.unbatch(), left_size=2)
    assert values(samples) == [([0, 1], 2), ([1, 2], 3)]
    rebatched, _ = split_dataset(windows.unbatch().batch(4), left_size=6)
    assert [len(y) for _, y in rebatched] == [4, 2]


def test_the_parts_train_a_model() -> None:
    train, test = split_dataset((X, Y.astype(np.float32)), left_size=0.8)
    model = models.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(train.batch(4), validation_data=test.batch(4), verbose=0)
    assert {"loss", "val_loss"} <= set(history.history)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "`left_size` or `right_size` must be given"),
        ({"left_size": 10}, ValueError, "`left_size` must be an integer from 1 to 9, or a float"),
        ({"left_size": 0}, ValueError, "Received: left_size=0"),
        ({"left_size": 1.0}, ValueError, "a float in (0, 1). Received: left_size=1.0"),
        ({"right_size": -2}, ValueError, "Received: right_size=-2"),
        ({"left_size": "half"}, TypeError, "`left_size` must be an integer, a float or None"),
        ({"left_size": True}, TypeError, "Received: left_size=True"),
        ({"left_size": 6, "right_size": 0.5}, ValueError, "two parts of 10 samples"),
        ({"left_size": 0.01}, ValueError, "neither of them empty"),
        ({"left_size": 0.99}, ValueError, "neither of them empty"),
    ],
    ids=str,
)
def test_bad_sizes(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        split_dataset(Y, **arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("dataset", "error", "message"),
    [
        ([X, Y[:9]], ValueError, r"the same number of samples.*\(9,\)"),
        ([], ValueError, "must hold arrays of samples"),
        ([[1, 2], [3, 4]], ValueError, r"must hold arrays of samples.*\['list', 'list'\]"),
        ({"x": X}, TypeError, "`dataset` must be an array.*Received: dict"),
        (iter([X]), TypeError, "`dataset` must be an array"),
        (np.float32(3), TypeError, "`dataset` must be an array"),
    ],
)
def test_bad_data(dataset: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        split_dataset(dataset, left_size=0.5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"left_size": 0.75},
        {"right_size": 0.25},
        {"left_size": 3, "right_size": 4},
        {"left_size": 0.6, "shuffle": True, "seed": 11},
    ],
    ids=str,
)
@pytest.mark.parametrize("dataset", [Y, (X, Y)], ids=["array", "tuple"])
def test_parts_are_those_of_keras(
    keras: ModuleType, dataset: Any, arguments: dict[str, Any]
) -> None:
    for ours, theirs in zip(
        split_dataset(dataset, **arguments),
        keras.utils.split_dataset(dataset, **arguments),
        strict=True,
    ):
        assert values(ours) == values(theirs.as_numpy_iterator())
