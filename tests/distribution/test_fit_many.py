"""Models that are trained at the same time become what they become alone."""

from __future__ import annotations

import threading
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import callbacks, layers

RNG = np.random.default_rng(11)
X = RNG.normal(size=(40, 6, 2)).astype(np.float32)
Y = X.sum(axis=(1, 2))
KINDS = [
    (layers.SimpleRNN, 6, 0.0),
    (layers.LSTM, 16, 0.3),
    (layers.GRU, 9, 0.0),
    (layers.LSTM, 33, 0.2),
    (layers.GRU, 5, 0.5),
]


def make(number: int) -> fastrnn.Sequential:
    cell, units, dropout = KINDS[number]
    fastrnn.utils.set_random_seed(100 + number)
    model = fastrnn.Sequential(
        [cell(units, dropout=dropout, recurrent_dropout=dropout), layers.Dense(1)]
    )
    model.compile(loss="mse", optimizer=fastrnn.optimizers.Adam(0.01 * (number + 1)))
    return model


def weights(models: list[fastrnn.Sequential]) -> list[list[np.ndarray]]:
    return [model.get_weights() for model in models]


def alone(each: list[dict[str, Any]], seeds: list[int], **arguments: Any) -> list[Any]:
    """What the models become one after another: weights and histories."""
    models = [make(number) for number in range(len(KINDS))]
    histories = []
    for model, seed, mine in zip(models, seeds, each, strict=True):
        fastrnn.utils.set_random_seed(seed)
        histories.append(model.fit(**{"x": X, "y": Y, "verbose": 0, **arguments, **mine}).history)
    return [weights(models), histories]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_same_bits_as_alone(workers: int) -> None:
    seeds = [3, 1, 4, 1, 5]
    each = [{"batch_size": 7 + number, "sample_weight": RNG.random(40)} for number in range(5)]
    want_weights, want_histories = alone(each, seeds, epochs=3, validation_data=(X, Y))
    models = [make(number) for number in range(len(KINDS))]
    histories = fastrnn.fit_many(
        models,
        X,
        Y,
        each=each,
        seeds=seeds,
        workers=workers,
        verbose=0,
        epochs=3,
        validation_data=(X, Y),
    )
    for got, want in zip(weights(models), want_weights, strict=True):
        for one, other in zip(got, want, strict=True):
            np.testing.assert_array_equal(one, other)
    assert [history.history for history in histories] == want_histories


def test_data_and_callbacks_of_their_own() -> None:
    each = [
        {
            "x": X[: 8 + number],
            "y": Y[: 8 + number],
            "epochs": 60,
            "callbacks": [callbacks.EarlyStopping("loss", patience=1, min_delta=0.02 * number)],
        }
        for number in range(5)
    ]
    [_, want] = alone(each, [7] * 5)
    each = [
        {
            **mine,
            "callbacks": [callbacks.EarlyStopping("loss", patience=1, min_delta=0.02 * number)],
        }
        for number, mine in enumerate(each)
    ]
    models = [make(number) for number in range(len(KINDS))]
    got = fastrnn.fit_many(models, each=each, seeds=[7] * 5, verbose=0)
    assert [history.history for history in got] == want
    assert len({len(history.epoch) for history in got}) > 1


def test_the_generator_of_others_and_the_threads_are_as_before() -> None:
    fastrnn.set_num_threads(2)
    fastrnn.utils.set_random_seed(9)
    want = fastrnn.random.generator().random(3).tolist()
    models = [make(number) for number in range(2)]
    fastrnn.utils.set_random_seed(9)
    fastrnn.fit_many(models, X, Y, seeds=[1, 2], verbose=0)
    assert fastrnn.random.generator().random(3).tolist() == want
    assert fastrnn.get_num_threads() == 2
    fastrnn.set_num_threads(None)


def test_without_seeds_set_random_seed_repeats_a_run() -> None:
    results = []
    for _ in range(2):
        models = [make(number) for number in range(3)]
        fastrnn.utils.set_random_seed(21)
        fastrnn.fit_many(models, X, Y, verbose=0, batch_size=8)
        results.append(weights(models))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one[0], other[0])


class Fails(callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        raise RuntimeError("the disk is full")


def test_a_failure_ends_all_with_its_own_error() -> None:
    models = [make(number) for number in range(3)]
    each: list[dict[str, Any]] = [{"epochs": 10**6}, {"callbacks": [Fails()]}, {"epochs": 10**6}]
    with pytest.raises(RuntimeError, match="the disk is full"):
        fastrnn.fit_many(models, X, Y, each=each, workers=3, verbose=0)
    assert threading.active_count() < 4
    models[0].predict(X, verbose=0)


def test_a_bar_counts_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    fastrnn.fit_many([make(0), make(1)], X, Y, epochs=3, verbose=1)
    assert "2 models: 100%" in (out := capsys.readouterr().out)
    assert "6/6" in out


SHARED = layers.Dense(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"callbacks": [Fails()]}, "`callbacks` must be given for each model"),
        (
            {"each": [{}]},
            "`each` must have one entry for each of the 2 models. Received: 1 entries",
        ),
        ({"seeds": [1, 2, 3]}, "`seeds` must have one entry for each of the 2 models"),
        ({"seeds": [1, -2]}, r"`seeds` must be integers in \[0, 2\*\*32 - 1\]. Received: -2"),
        ({"workers": 0}, "`workers` must be a positive integer or None. Received: 0"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fastrnn.fit_many([make(0), make(1)], X, Y, verbose=0, **arguments)


def test_models_that_share_are_refused() -> None:
    model = make(0)
    with pytest.raises(ValueError, match=r"models\[0\] and models\[1\] share 'sequential"):
        fastrnn.fit_many([model, model], X, Y, verbose=0)
    pair = [fastrnn.Sequential([layers.GRU(2), SHARED]) for _ in range(2)]
    with pytest.raises(ValueError, match=r"models\[0\] and models\[1\] share 'dense"):
        fastrnn.fit_many(pair, X, Y, verbose=0)
