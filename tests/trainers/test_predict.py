"""`predict` computes several batches at once where nobody is to be told of each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import kernels, layers
from fastrnn.callbacks import Callback
from fastrnn.models import Sequential
from fastrnn.trainers import prediction

SAMPLES, STEPS, VOCABULARY = 1100, 7, 30

MODELS: dict[str, Callable[[], list[layers.Layer]]] = {
    "SimpleRNN": lambda: [layers.SimpleRNN(5)],
    "LSTM": lambda: [layers.LSTM(9)],
    "GRU": lambda: [layers.GRU(17, return_sequences=True), layers.GRU(3, go_backwards=True)],
    "Bidirectional": lambda: [layers.Bidirectional(layers.LSTM(5)), layers.Dense(33)],
    "every step": lambda: [layers.LSTM(8, return_sequences=True)],
}


def make(kind: str = "LSTM") -> Sequential:
    embedding = layers.Embedding(VOCABULARY, 6, mask_zero=True)
    return Sequential([embedding, *MODELS[kind](), layers.Dense(2, activation="softmax")])


def tokens(rng: np.random.Generator) -> np.ndarray:
    x = rng.integers(1, VOCABULARY, (SAMPLES, STEPS))
    x[np.arange(STEPS) < rng.integers(0, STEPS, (SAMPLES, 1))] = 0
    return x


@pytest.fixture
def rows_of_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows the kernel of LSTM was given, call after call."""
    rows: list[int] = []
    kernel = kernels.rnn_forward

    def count(cell: str, x: Any, *args: Any, **options: Any) -> Any:
        rows.append(len(x.tokens))
        return kernel(cell, x, *args, **options)

    monkeypatch.setattr(kernels, "rnn_forward", count)
    return rows


@pytest.mark.parametrize("kind", MODELS)
def test_the_same_bits_for_any_batch_size(
    rng: np.random.Generator, kind: str, isa: str, set_threads: Callable[[int], None]
) -> None:
    model, x = make(kind), tokens(rng)
    wanted = model.predict(x, verbose=0)
    assert wanted.shape == model.compute_output_shape(x.shape)
    for batch_size in (3, 32, 200, 512, 600, SAMPLES, 5000):
        for threads in (1, 2):
            set_threads(threads)
            got = model.predict(x, batch_size=batch_size, verbose=0)
            np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(model(x), wanted)
    for one in (0, 1, SAMPLES - 1):
        np.testing.assert_array_equal(model.predict(x[one : one + 1], verbose=0)[0], wanted[one])


@pytest.mark.parametrize(
    ("batch_size", "rows"),
    [
        (None, [512, 512, 76]),
        (100, [500, 500, 100]),
        (300, [300, 300, 300, 200]),
        (600, [600, 500]),
        (2000, [1100]),
    ],
)
def test_whole_batches_are_computed_at_once(
    rng: np.random.Generator, rows_of_calls: list[int], batch_size: int | None, rows: list[int]
) -> None:
    model = make()
    model.build((None, STEPS))
    model.predict(tokens(rng), batch_size=batch_size, verbose=0, callbacks=[Callback()])
    assert rows_of_calls == rows


@pytest.mark.parametrize("stateful", [False, True])
def test_much_work_is_done_in_parts(
    rng: np.random.Generator,
    rows_of_calls: list[int],
    monkeypatch: pytest.MonkeyPatch,
    stateful: bool,
) -> None:
    """Ctrl-C acts between them, whatever the size of a batch."""
    x = tokens(rng)
    lengths = np.sort(rng.integers(1, STEPS + 1, SAMPLES))[::-1]
    ragged = [row[:length] for row, length in zip(np.maximum(x, 1), lengths, strict=True)]
    lstm = layers.LSTM(9, return_sequences=not stateful, stateful=stateful)
    model = Sequential([layers.Embedding(VOCABULARY, 6, mask_zero=True), lstm])
    want = [model.predict(each, batch_size=1100, verbose=0) for each in (x, ragged)]
    per_step = lstm.count_params()
    monkeypatch.setattr(prediction, "_WORK_AT_ONCE", 300.0 * STEPS * per_step)
    rows_of_calls.clear()
    lstm.reset_state()
    got = [model.predict(x, batch_size=1100, verbose=0)]
    assert rows_of_calls == ([1100] if stateful else [300, 300, 300, 200])
    if stateful:
        return
    rows_of_calls.clear()
    got.append(model.predict(ragged, batch_size=550, verbose=0))
    # The shorter sequences come first, and more of them are as much work.
    half = int(np.sort(lengths)[549])
    short = 300 * STEPS // half
    assert rows_of_calls == [*([short] * (550 // short)), 550 % short, 300, 250]
    for one, other in zip(got, want, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
    monkeypatch.setattr(prediction, "_WORK_AT_ONCE", 157.0 * STEPS * per_step)
    rows_of_calls.clear()
    np.testing.assert_array_equal(model.predict(x, batch_size=1100, verbose=0), want[0])
    assert rows_of_calls == [157] * 7 + [1], "a part of one row is one too"
    monkeypatch.setattr(prediction, "_WORK_AT_ONCE", 1.0)
    rows_of_calls.clear()
    np.testing.assert_array_equal(model.predict(x, batch_size=100, verbose=0), want[0])
    assert rows_of_calls == ([16] * 31 + [4]) * 2 + [16] * 6 + [4]


@pytest.mark.parametrize("hook", ["on_predict_batch_begin", "on_predict_batch_end"])
def test_who_listens_is_told_of_every_batch(
    rng: np.random.Generator, rows_of_calls: list[int], hook: str
) -> None:
    seen: list[tuple[int, Any]] = []

    class Listener(Callback):
        pass

    setattr(Listener, hook, lambda self, batch, logs=None: seen.append((batch, logs)))
    model, x = make(), tokens(rng)
    wanted = model.predict(x, verbose=0)
    rows_of_calls.clear()
    got = model.predict(x, batch_size=500, verbose=0, callbacks=[Listener()])
    np.testing.assert_array_equal(got, wanted)
    assert rows_of_calls == [500, 500, 100]
    assert [batch for batch, _ in seen] == [0, 1, 2]
    if hook.endswith("end"):
        np.testing.assert_array_equal(np.concatenate([logs["outputs"] for _, logs in seen]), wanted)


def test_the_bar_moves_by_whole_batches(
    rng: np.random.Generator,
    rows_of_calls: list[int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(fastrnn.callbacks.progress, "_REFRESH", 0.0)
    make().predict(tokens(rng), batch_size=100)
    assert rows_of_calls == [500, 500, 100]
    drawn = [line.split("|")[0].strip() for line in capsys.readouterr().out.split("\r")]
    counts = [count for k, count in enumerate(drawn) if count and count != drawn[k - 1]]
    assert counts == ["0/11", "5/11", "10/11", "11/11"]


def test_the_result_is_an_array_of_its_own() -> None:
    x = np.ones((3, 2), "float32")
    model = Sequential([layers.Dropout(0.5)])
    result = model.predict(x, verbose=0)
    np.testing.assert_array_equal(result, x)
    assert not np.shares_memory(result, x)


@pytest.mark.parametrize("samples", [1, SAMPLES])
def test_results_are_not_the_memory_of_the_input(samples: int) -> None:
    model = Sequential([layers.Input((3,)), layers.Identity()])
    x = np.ones((samples, 3), np.float32)
    found = model.predict(x, verbose=0)
    found[0] = 7
    np.testing.assert_array_equal(x, 1)
