"""Same seed, same result: shuffling, dropout and weights, for any number of threads."""

from __future__ import annotations

from collections.abc import Callable

import fastrnn.random
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.callbacks import Callback
from fastrnn.models import Sequential

X = np.random.default_rng(3).integers(0, 30, (70, 9))
Y = (X.sum(axis=1) > 130).astype(int)


def train(
    cell: type[layers.Layer], seed: int = 11
) -> tuple[list[np.ndarray], dict[str, list[float]]]:
    fastrnn.random.set_random_seed(seed)
    model = Sequential(
        [
            layers.Embedding(30, 5),
            layers.Dropout(0.3),
            cell(7, return_sequences=True, recurrent_dropout=0.2),
            layers.Bidirectional(cell(6, dropout=0.2)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, epochs=2, batch_size=16, validation_split=0.2, verbose=0)
    return model.get_weights(), history.history


@pytest.mark.parametrize("cell", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_one_and_two_threads_give_the_same_bits(
    cell: type[layers.Layer], set_threads: Callable[[int], None]
) -> None:
    set_threads(1)
    one, history = train(cell)
    set_threads(2)
    two, other_history = train(cell)
    assert history == other_history
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)


def test_another_seed_gives_another_result() -> None:
    one, two = train(layers.GRU)[0], train(layers.GRU, seed=12)[0]
    assert all((left != right).any() for left, right in zip(one, two, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None, True])
def test_bad_seeds(seed: object) -> None:
    with pytest.raises(ValueError, match="Received: seed="):
        fastrnn.random.set_random_seed(seed)  # type: ignore[arg-type]


class SeenBatches(layers.Dense):
    """A Dense layer that records the samples that it is trained with."""

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


@pytest.mark.parametrize("shuffle", [True, False])
def test_every_epoch_has_all_training_samples_once_in_a_new_order(shuffle: bool) -> None:
    fastrnn.random.set_random_seed(5)
    layer = SeenBatches()
    model = Sequential([layer])
    model.compile("sgd", "mse")
    x = np.arange(20.0)[:, None]
    model.fit(x, -x, epochs=2, batch_size=6, validation_split=0.25, shuffle=shuffle, verbose=0)
    assert [len(batch) for batch in layer.seen] == [6, 6, 3] * 2
    epochs = [[x for batch in part for x in batch] for part in (layer.seen[:3], layer.seen[3:])]
    for epoch in epochs:
        assert sorted(epoch) == list(range(15)), "the last quarter is for validation"
        assert (epoch == sorted(epoch)) is not shuffle
    assert (epochs[0] != epochs[1]) is shuffle


def test_labels_stay_with_their_samples_when_shuffled() -> None:
    """With a rate of 0 the loss of a perfect model is 0 in any order, if the pairs stay."""
    model = Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    x = np.arange(50.0)[:, None]
    assert model.fit(x, x, batch_size=7, verbose=0).history["loss"] == [0.0]
    assert model.fit(x, x[::-1], batch_size=7, verbose=0).history["loss"][0] > 1


def test_stop_training_ends_the_epoch() -> None:
    class Stop(Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            self.model.stop_training = batch == 2

    layer = SeenBatches()
    model = Sequential([layer])
    model.compile("sgd", "mse")
    history = model.fit(X[:, :1], Y, epochs=5, batch_size=10, verbose=0, callbacks=[Stop()])
    assert len(layer.seen) == 3
    assert history.epoch == [0]
