"""Ctrl-C and exceptions of callbacks: a fit ends at once and leaves a model that can go on."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.callbacks import Callback
from fastrnn.models import Sequential
from fastrnn.optimizers import Adam
from fastrnn.trainers.interruption import DeferredSignals

X = np.linspace(-1, 1, 20 * 4 * 3, dtype="float32").reshape(20, 4, 3)
Y = np.arange(20) % 2

# Signals come while a step is in the midst of its updates: after each variable but the last.
# Servers end a process by SIGTERM; a program that wants to save something then raises an exception.
INTERRUPTED = """
import os, signal, sys, time
import numpy as np
from fastrnn import layers, optimizers
from fastrnn.models import Sequential
from fastrnn.callbacks import Callback

class Adam(optimizers.Adam):
    updates = 0
    def update_step(self, gradient, variable, learning_rate, *further):
        super().update_step(gradient, variable, learning_rate, *further)
        Adam.updates += 1
        if Adam.updates == 3 * 5 + 2:  # in the fourth step
            os.kill(os.getpid(), number)
            time.sleep(0.05)

class Count(Callback):
    ends = 0
    def on_train_batch_end(self, batch, logs=None):
        Count.ends += 1

number = getattr(signal, sys.argv[1])
if number == signal.SIGTERM:
    signal.signal(number, lambda number, frame: sys.exit())
handler = signal.getsignal(number)
x = np.linspace(-1, 1, 80 * 4 * 3, dtype="float32").reshape(80, 4, 3)
y = np.arange(80) % 2
model = Sequential([layers.SimpleRNN(4), layers.Dense(1, activation="sigmoid")])
model.build(x.shape)
model.compile(Adam(), "binary_crossentropy")
before = model.get_weights()
try:
    model.fit(x, y, batch_size=40, epochs=9, verbose=0, callbacks=[Count()])
except (KeyboardInterrupt, SystemExit):
    print("interrupted", Adam.updates, Count.ends, model.optimizer.iterations, model.history.epoch)
assert signal.getsignal(number) is handler
assert all((one != other).any() for one, other in zip(model.get_weights(), before))
print(len(model.history.history["loss"]))
history = model.fit(x, y, batch_size=40, epochs=3, initial_epoch=1, verbose=0)
print(history.epoch, model.optimizer.iterations)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_real_signal_waits_for_the_end_of_the_step(
    name: str, run_python: Callable[..., CompletedProcess[str]]
) -> None:
    done = run_python(INTERRUPTED.replace("sys.argv[1]", repr(name)))
    assert done.returncode == 0, done.stderr
    # Two steps an epoch, five weights: the step goes to its end, the batch's callbacks do not run.
    assert done.stdout.splitlines() == ["interrupted 20 3 4 [0]", "1", "[1, 2] 8"]


BETWEEN = """
import os, signal, time
import numpy as np
from fastrnn import layers
from fastrnn.models import Sequential

def batches():
    for number in range(100):
        if number == 3:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)  # Ctrl-C ends the waiting for data
        yield np.ones((4, 2), "f"), np.ones(4)

model = Sequential([layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(batches(), verbose=0)
"""


def test_ctrl_c_while_waiting_for_data_acts_at_once(
    run_python: Callable[..., CompletedProcess[str]],
) -> None:
    done = run_python(BETWEEN)
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode not in (0, None)


class Fails(Callback):
    def __init__(self, hook: str, at: int) -> None:
        super().__init__()
        setattr(self, hook, self.fail)
        self.at, self.calls = at, 0

    def fail(self, *_: Any) -> None:
        self.calls += 1
        if self.calls > self.at:
            raise RuntimeError("from a callback")


@pytest.mark.parametrize(
    ("hook", "at", "iterations", "epochs"),
    [
        ("on_train_begin", 0, 0, 0),
        ("on_epoch_begin", 1, 2, 1),
        ("on_train_batch_begin", 3, 3, 1),
        ("on_train_batch_end", 3, 4, 1),
        ("on_test_batch_end", 2, 4, 1),
        ("on_epoch_end", 1, 4, 1),
    ],
)
def test_an_exception_of_a_callback_leaves_a_model_to_go_on_with(
    hook: str, at: int, iterations: int, epochs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def make() -> Sequential:
        fastrnn.random.set_random_seed(4)
        model = Sequential([layers.GRU(3), layers.Dense(1)])
        model.compile(Adam(), "mse")
        return model

    handler = signal.getsignal(signal.SIGINT)
    model, arguments = make(), {"batch_size": 10, "shuffle": False, "verbose": 0}
    with pytest.raises(RuntimeError, match="from a callback"):
        model.fit(X, Y, epochs=5, callbacks=[Fails(hook, at)], validation_data=(X, Y), **arguments)
    assert signal.getsignal(signal.SIGINT) is handler
    assert model.optimizer.iterations == iterations
    assert len(model.history.epoch) == len(model.history.history.get("loss", [])) == epochs
    other = make()
    other.fit(X, Y, steps_per_epoch=1, epochs=max(iterations, 1), **arguments)
    if iterations:
        for one, wanted in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(one, wanted)
    model.fit(X, Y, **arguments)


def test_the_bar_of_a_run_that_fails_is_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tqdm.auto

    bars: list[Any] = []
    original = tqdm.auto.tqdm

    class Recorded(original):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            bars.append(self)

    monkeypatch.setattr(tqdm.auto, "tqdm", Recorded)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    runs = {
        "on_train_batch_end": lambda each: model.fit(X[:, 0], Y, callbacks=[each]),
        "on_test_batch_end": lambda each: model.evaluate(X[:, 0], Y, callbacks=[each]),
        "on_predict_batch_end": lambda each: model.predict(X[:, 0], callbacks=[each]),
    }
    for hook, run in runs.items():
        with pytest.raises(RuntimeError, match="from a callback"):
            run(Fails(hook, 0))
    assert len(bars) == 3
    assert all(bar.disable for bar in bars), "a closed bar of tqdm is disabled"


def test_the_handler_of_the_program_is_asked() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with DeferredSignals() as signals:
            signals.hold()
            signal.raise_signal(signal.SIGINT)
            assert seen == []
            signals.release()
            assert seen == [signal.SIGINT]
            signal.raise_signal(signal.SIGINT)
            assert len(seen) == 2
            signals.hold()
            signal.raise_signal(signal.SIGINT)
        assert len(seen) == 3, "at the end of the run at the latest"
    finally:
        signal.signal(signal.SIGINT, before)


def test_both_signals_in_one_step() -> None:
    seen: list[int] = []
    numbers = signal.SIGINT, signal.SIGTERM
    before = [signal.signal(each, lambda number, frame: seen.append(number)) for each in numbers]
    try:
        with DeferredSignals() as signals:
            signals.hold()
            for number in numbers:
                signal.raise_signal(number)
            signals.release()
            assert sorted(seen) == sorted(numbers)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_fit_works_in_another_thread() -> None:
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    thread = threading.Thread(target=lambda: model.fit(X[:, 0], Y, verbose=0))
    thread.start()
    thread.join()
    assert model.optimizer.iterations == 1
