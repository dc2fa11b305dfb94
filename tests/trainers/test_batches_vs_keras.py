"""Generators, iterables and numbered batches; steps per epoch; the ways to validate."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.callbacks import Callback
from fastrnn.models import Sequential
from support.trainer_twins import (
    assert_same_fit,
    assert_same_logs,
    assert_same_weights,
    compiled_twins,
)

SAMPLES, FEATURES, SIZE = 22, 3, 4
NO_DATA_LEFT = "ignore:.*ran out of"


def make(library: Any) -> list[Any]:
    return [library.layers.Dense(1, activation="sigmoid")]


def twins(keras: ModuleType, rng: np.random.Generator) -> tuple[Any, Any]:
    arguments = {"loss": "binary_crossentropy", "metrics": ["mae"], "weighted_metrics": ["mae"]}
    return compiled_twins(keras, rng, make, (None, FEATURES), **arguments)


def data(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = rng.normal(size=(SAMPLES, FEATURES)).astype("float32")
    return x, rng.integers(0, 2, SAMPLES).astype("float32"), rng.uniform(0.2, 3, SAMPLES)


def cut(*arrays: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    """Batches, of which the last is smaller."""
    return [
        tuple(array[start : start + SIZE] for array in arrays) for start in range(0, SAMPLES, SIZE)
    ]


def endless(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    return itertools.cycle(cut(*arrays))


def generator(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    yield from endless(*arrays)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_generator_with_steps_per_epoch(
    keras: ModuleType, rng: np.random.Generator, weighted: bool
) -> None:
    theirs, ours = twins(keras, rng)
    x, y, weight = data(rng)
    arrays = (x, y, weight) if weighted else (x, y)
    arguments = {"steps_per_epoch": 4, "epochs": 4, "validation_data": (x, y), "batch_size": None}
    arguments |= {"validation_batch_size": 5, "shuffle": False, "verbose": 0}
    wanted = theirs.fit(generator(*arrays), **arguments)
    got = ours.fit(generator(*arrays), **arguments)
    assert_same_logs(got.history, wanted.history)
    assert_same_weights(theirs, ours)
    for steps in (3, 8):
        left, right = (
            model.evaluate(generator(*arrays), steps=steps, verbose=0, return_dict=True)
            for model in (ours, theirs)
        )
        assert_same_logs(left, right)
        left, right = (
            model.predict(generator(*arrays), steps=steps, verbose=0) for model in (ours, theirs)
        )
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


class Numbered:
    """What both libraries see as a PyDataset, in Keras's case by inheritance."""

    def __init__(self, *arrays: np.ndarray, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.batches = cut(*arrays)
        self.calls: list[str] = []

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        return self.batches[index]

    def on_epoch_begin(self) -> None:
        self.calls.append("begin")

    def on_epoch_end(self) -> None:
        self.calls.append("end")


def numbered_of_keras(keras: ModuleType, *arrays: np.ndarray) -> Any:
    return type("Dataset", (Numbered, keras.utils.PyDataset), {})(*arrays)


@pytest.mark.parametrize("steps", [None, 4, 6])
def test_numbered_batches(keras: ModuleType, rng: np.random.Generator, steps: int | None) -> None:
    """A pass has 6 batches: 4 make an epoch, so that the second one ends early, and warns."""
    theirs, ours = twins(keras, rng)
    x, y, weight = data(rng)
    arguments: dict[str, Any] = {"steps_per_epoch": steps, "epochs": 3, "shuffle": False}
    histories = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for model in (theirs, ours):
            histories.append(
                model.fit(
                    numbered_of_keras(keras, x, y),
                    validation_data=numbered_of_keras(keras, x, y, weight),
                    verbose=0,
                    **arguments,
                ).history
            )
    ran_out = [str(each.message) for each in caught if "ran out" in str(each.message)]
    assert len(ran_out) == (2 if steps == 4 else 0), "one of each library"
    assert_same_logs(histories[1], histories[0])
    assert_same_weights(theirs, ours)
    assert histories[1]["val_mae"] != histories[1]["val_weighted_mae"]


@pytest.mark.filterwarnings(NO_DATA_LEFT)  # Keras says so of data of unknown length
@pytest.mark.parametrize("kind", ["tf.data", "tf.data of unknown length", "PyDataset"])
def test_class_weights_of_batches(keras: ModuleType, rng: np.random.Generator, kind: str) -> None:
    theirs, ours = twins(keras, rng)
    x, y, _ = data(rng)
    source: Any = numbered_of_keras(keras, x, y[:, None])
    if kind.startswith("tf.data"):
        import tensorflow as tf

        source = tf.data.Dataset.from_tensor_slices((x, y)).batch(SIZE)
        if "unknown" in kind:
            source = source.filter(lambda *_: True)
    arguments = {"class_weight": {0: 0.3, 1: 2.0}, "validation_data": source, "epochs": 2}
    got = assert_same_fit(theirs, ours, source, **arguments)
    assert got.history["mae"] != got.history["weighted_mae"]
    assert got.history["val_mae"] == got.history["val_weighted_mae"]
    np.testing.assert_allclose(
        ours.predict(source, verbose=0), theirs.predict(source, verbose=0), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"steps_per_epoch": 3},  # makes the batches larger
        {"steps_per_epoch": 2, "batch_size": 5, "epochs": 4},  # a pass takes two and a half epochs
        {"validation_split": 0.4, "validation_steps": 2, "validation_batch_size": 3},
        {"validation_split": 0.4, "validation_steps": 2},
        {"validation_split": 0.4, "validation_freq": [1, 3]},
        {"validation_split": 0.4, "validation_freq": 2, "initial_epoch": 1},
    ],
    ids=lambda each: ", ".join(f"{key}={value}" for key, value in each.items()),
)
@pytest.mark.filterwarnings(NO_DATA_LEFT)
def test_steps_and_validations_of_arrays(
    keras: ModuleType, rng: np.random.Generator, arguments: dict[str, Any]
) -> None:
    theirs, ours = twins(keras, rng)
    x, y, weight = data(rng)
    assert_same_fit(theirs, ours, x, y, sample_weight=weight, **{"epochs": 3, **arguments})


@pytest.mark.filterwarnings(NO_DATA_LEFT)
def test_steps_of_evaluate_and_predict(keras: ModuleType, rng: np.random.Generator) -> None:
    theirs, ours = twins(keras, rng)
    x, y, weight = data(rng)
    for arguments in ({"steps": 2}, {"steps": 2, "batch_size": 5}, {"steps": 9, "batch_size": 5}):
        left, right = (
            model.evaluate(x, y, sample_weight=weight, verbose=0, **arguments)
            for model in (ours, theirs)
        )
        np.testing.assert_allclose(left[:2], right[:2], rtol=1e-4)
        left, right = (model.predict(x, verbose=0, **arguments) for model in (ours, theirs))
        np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------------------ fastrnn alone


class Seen(layers.Dense):
    """A Dense layer that records the first feature of the samples that it is trained with."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seen: list[list[float]] = []

    def forward(self, x: np.ndarray, training: bool = False) -> tuple[np.ndarray, object]:
        self.seen.append(x[:, 0].tolist())
        return super().forward(x, training)

    def call(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        return super().forward(x)[0]

    @classmethod
    def _argument_names(cls) -> list[str]:
        return []


def seen_by(x: Any, **arguments: Any) -> list[list[float]]:
    layer = Seen()
    model = Sequential([layer])
    model.compile("sgd", "mse")
    model.fit(x, verbose=0, **arguments)
    return layer.seen


NUMBERS = [(np.full((2, 1), number), np.ones(2)) for number in range(5)]


def test_an_epoch_of_batches_is_a_pass() -> None:
    class Again:
        def __iter__(self) -> Iterator[Any]:
            return iter(NUMBERS)

    assert seen_by(Again(), epochs=2) == [[n, n] for n in (*range(5), *range(5))]
    assert seen_by(iter(NUMBERS)) == [[n, n] for n in range(5)]
    assert seen_by(([x.tolist(), y.tolist()] for x, y in NUMBERS)) == [[n, n] for n in range(5)]


def test_steps_of_unknown_length_go_on_and_begin_anew() -> None:
    class Again:
        def __iter__(self) -> Iterator[Any]:
            return iter(NUMBERS[:4])

    order = [batch[0] for batch in seen_by(Again(), epochs=4, steps_per_epoch=2)]
    assert order == [0, 1, 2, 3, 0, 1, 2, 3]
    with pytest.warns(UserWarning, match="ran out of batches"):
        order = [batch[0] for batch in seen_by(Again(), epochs=3, steps_per_epoch=3)]
    assert order == [0, 1, 2, 3, 0, 1, 2]


def test_a_generator_that_ends_ends_the_training() -> None:
    """Keras would train further on the first two batches, over and over."""
    model = Sequential([Seen()])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="ran out of batches"):
        history = model.fit(iter(NUMBERS), steps_per_epoch=2, epochs=9, verbose=0)
    assert history.epoch == [0, 1, 2]
    assert [batch[0] for batch in model.layers[0].seen] == [0, 1, 2, 3, 4]


def test_a_generator_to_validate_with_is_kept() -> None:
    drawn = []

    def batches() -> Iterator[Any]:
        for number in itertools.count():
            drawn.append(number)
            yield np.full((2, 1), number), np.ones(2)

    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    arguments: dict[str, Any] = {"validation_data": batches(), "validation_steps": 3, "epochs": 4}
    history = model.fit(np.ones((4, 1)), np.ones(4), verbose=0, **arguments).history
    assert len(set(history["val_loss"])) == 1
    assert drawn == [0, 1, 2]


def test_a_dataset_without_an_end() -> None:
    class Counts(fastrnn.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index: int) -> Any:
            return np.full((2, 1), index), np.ones(2)

    assert fastrnn.utils.Sequence is fastrnn.utils.PyDataset
    order = [batch[0] for batch in seen_by(Counts(workers=2), steps_per_epoch=3, epochs=2)]
    assert order == list(range(6))
    assert [int(x[0, 0]) for x, _ in itertools.islice(Counts(), 3)] == [0, 1, 2]
    with pytest.raises(NotImplementedError, match="`__len__` or `num_batches`"):
        seen_by(fastrnn.utils.PyDataset())


def test_windows_of_a_series_are_batches() -> None:
    series = np.arange(30.0)[:, None]
    windows = fastrnn.utils.timeseries_dataset_from_array(series, series[3:, 0], 3, batch_size=8)
    model = Sequential([layers.SimpleRNN(2), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(
        model.fit(windows, epochs=2, validation_data=windows, verbose=0).history["loss"]
    ).all()
    assert model.predict(windows, verbose=0).shape == (27, 1)


def test_numbered_batches_are_shuffled_and_told_of_epochs(rng: np.random.Generator) -> None:
    class Dataset:
        calls: tuple[str, ...] = ()

        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: int) -> Any:
            return NUMBERS[index]

        def on_epoch_begin(self) -> None:
            self.calls += ("begin",)

        def on_epoch_end(self) -> None:
            self.calls += ("end",)

    fastrnn.random.set_random_seed(1)
    dataset = Dataset()
    order = [int(batch[0]) for batch in seen_by(dataset, epochs=2)]
    first, second = order[:5], order[5:]
    assert sorted(first) == sorted(second) == list(range(5))
    assert first != second
    assert dataset.calls == ("begin", "end") * 2
    assert [batch[0] for batch in seen_by(dataset, shuffle=False)] == list(range(5))


def test_the_orders_of_shuffle() -> None:
    x = np.arange(20.0)[:, None]
    each = seen_by(x, y=x, batch_size=6, shuffle="batch")
    assert [sorted(batch) for batch in each] == [
        list(range(start, min(start + 6, 20))) for start in range(0, 20, 6)
    ]
    assert all(batch != sorted(batch) for batch in each)


def test_who_listens_hears_of_every_batch() -> None:
    heard: list[tuple[str, int | None]] = []

    class Listener(Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            heard.append(("begin", batch))

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            heard.append(("end", batch))
            assert list(logs) == ["loss"]

        def on_train_begin(self, logs: Any = None) -> None:
            heard.append(("steps", self.params["steps"]))

    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(iter(NUMBERS[:2]), verbose=0, callbacks=[Listener()])
    assert heard == [("steps", None), ("begin", 0), ("end", 0), ("begin", 1), ("end", 1)]
    heard.clear()
    model.fit(np.ones((4, 1)), np.ones(4), batch_size=2, verbose=0, callbacks=[Listener()])
    assert heard[0] == ("steps", 2)


BAD: list[tuple[Any, dict[str, Any], str]] = [
    (iter(NUMBERS), {"y": np.ones(2)}, "`y` must not be given beside data that yield batches"),
    (iter(NUMBERS), {"sample_weight": np.ones(2)}, "`sample_weight` must not be given beside"),
    (iter(NUMBERS), {"batch_size": 2}, "`batch_size` must not be given.*list_iterator"),
    (iter(NUMBERS), {"validation_split": 0.2}, "`validation_split` needs arrays.*list_iterator"),
    (
        np.ones((2, 1)),
        {"y": np.ones(2), "validation_data": iter(NUMBERS), "validation_batch_size": 2},
        "`batch_size` must not be given",
    ),
    (iter([]), {}, "must yield at least one batch"),
    (iter([np.ones((2, 1))]), {}, "`y` must be an array of labels. Received: y=None"),
    (iter([(1, 2, 3, 4)]), {}, r"A batch must be a tuple \(x, y\).*Received: a tuple of 4"),
    (iter([(np.ones((2, 1)), np.ones(3))]), {}, "same number of samples"),
    (iter([(np.ones((2, 1)), np.ones(2), np.ones(3))]), {}, "`sample_weight` must have shape"),
    (
        iter([(np.ones((2, 1)), np.ones(2), np.ones(2))]),
        {"class_weight": {1: 2.0}},
        "must not be given together",
    ),
]


@pytest.mark.parametrize(("x", "arguments", "message"), BAD)
def test_bad_batches(x: Any, arguments: dict[str, Any], message: str) -> None:
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=message):
        model.fit(x, **arguments)
    assert not model.built
    assert not hasattr(model, "history")


def test_a_bad_batch_in_the_midst_is_refused_before_its_step() -> None:
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    bad = [*NUMBERS[:2], (np.ones((2, 1)), np.array([1.0, np.nan]))]
    with pytest.raises(ValueError, match="finite"):
        model.fit(iter(bad), verbose=0)
    assert model.optimizer.iterations == 2
