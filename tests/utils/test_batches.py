"""The methods of data sets do what TensorFlow's of these names do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models
from fastrnn.utils import timeseries_dataset_from_array
from fastrnn.utils.batches import Batches

X, Y = np.arange(14.0, dtype="f4").reshape(7, 2), np.arange(7)
ROWS = Batches(lambda: zip(X, Y, strict=True), lambda: 7)

# Without chance, as calls on either library's data set of the rows.
CALLS: dict[str, Callable[[Any], Any]] = {
    "take": lambda d: d.take(3),
    "take all": lambda d: d.take(-1),
    "take more": lambda d: d.take(9),
    "skip": lambda d: d.skip(2),
    "skip more": lambda d: d.skip(9),
    "map": lambda d: d.map(lambda x, y: (x * 2, y + 1)),
    "map to one": lambda d: d.map(lambda x, y: x),
    "batch": lambda d: d.batch(3),
    "batch whole ones": lambda d: d.batch(3, drop_remainder=True),
    "batch and back": lambda d: d.batch(3).unbatch(),
    "repeat": lambda d: d.repeat(2),
    "repeat without end": lambda d: d.repeat().take(9),
    "cache": lambda d: d.cache(),
    "prefetch": lambda d: d.prefetch(2),
    "several": lambda d: d.skip(1).map(lambda x, y: (x, y)).batch(2).take(2).repeat(3),
}


def flat(elements: Any) -> list[np.ndarray]:
    found = []
    for each in elements:
        found += [np.asarray(part) for part in (each if isinstance(each, tuple) else (each,))]
    return found


@pytest.mark.parametrize("name", CALLS)
def test_as_tensorflow(name: str, keras: Any) -> None:
    import tensorflow as tf

    theirs = CALLS[name](tf.data.Dataset.from_tensor_slices((X, Y)))
    ours = CALLS[name](ROWS)
    for _ in range(2):  # a data set can be looped over again
        got, wanted = flat(ours), flat(theirs.as_numpy_iterator())
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(one, other)
    if name != "batch and back":  # whose length is not known here
        assert ours.cardinality() == theirs.cardinality().numpy()


def test_lengths() -> None:
    assert [len(CALLS[name](ROWS)) for name in ("take", "skip", "batch", "repeat")] == [3, 5, 3, 14]
    with pytest.raises(TypeError, match="not known"):
        len(ROWS.repeat())


@pytest.mark.parametrize("again", [True, False])
def test_shuffle(again: bool) -> None:
    def order(seed: int) -> list[list[int]]:
        shuffled = ROWS.shuffle(3, seed=seed, reshuffle_each_iteration=again)
        return [[int(y) for _, y in shuffled] for _ in range(2)]

    first, second = order(5)
    assert sorted(first) == list(range(7))
    assert first != list(range(7))
    assert first[0] < 3
    assert (first != second) == again
    assert order(5) == [first, second]
    assert order(6)[0] != first


def test_cache_is_made_once() -> None:
    made = []
    kept = Batches(lambda: iter([1, 2])).map(lambda n: made.append(n) or n).cache()
    assert [list(kept), list(kept)] == [[1, 2], [1, 2]]
    assert made == [1, 2]


def test_windows_and_training() -> None:
    fastrnn.utils.set_random_seed(1)
    series = np.sin(np.arange(40.0))
    windows = timeseries_dataset_from_array(series[:-3], series[3:], 3, batch_size=4)
    (x, y), *others = windows.take(1)
    assert not others
    assert x.numpy().shape == (4, 3)
    assert y.numpy().shape == (4,)
    named = windows.map(lambda x, y: (x[..., np.newaxis], y))
    model = models.Sequential([layers.LSTM(3), layers.Dense(1)])
    model.compile("adam", "mse")
    history = model.fit(named, epochs=2, verbose=0, validation_data=named.take(2))
    assert len(history.history["val_loss"]) == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda: ROWS.take(-2),
        lambda: ROWS.skip(-1),
        lambda: ROWS.batch(0),
        lambda: ROWS.shuffle(0),
        lambda: ROWS.take(1.5),
    ],
)
def test_bad_input(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        call()


def test_shapes_can_be_stated_in_a_map():
    data = timeseries_dataset_from_array(np.arange(40.0).reshape(20, 2), None, 5, batch_size=4)

    def split(window):
        inputs, labels = window[:, :3, :], window[:, 3:, :]
        inputs.set_shape([None, 3, None])
        labels.set_shape([None, 2, 2])
        return inputs, labels

    pairs = data.map(split)
    assert [tuple(each.shape) for each in pairs.element_spec] == [(4, 3, 2), (4, 2, 2)]
    assert pairs.element_spec[0].dtype == np.float64
    with pytest.raises(ValueError, match="that of the array"):
        next(iter(data)).set_shape([None, 4, None])


def test_filter_and_concatenate():
    numbers = Batches(lambda: iter(range(5)), lambda: 5)
    assert list(numbers.filter(lambda n: n % 2)) == [1, 3]
    both = numbers.concatenate(numbers.take(2))
    assert list(both) == [0, 1, 2, 3, 4, 0, 1]
    assert len(both) == 7
