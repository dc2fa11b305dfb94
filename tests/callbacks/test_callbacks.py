"""Callbacks are notified as Keras notifies its own."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastrnn import callbacks, layers
from fastrnn.callbacks import Callback, CallbackList, History, LambdaCallback
from fastrnn.models import Sequential

HOOKS = [name for name in dir(Callback) if name.startswith("on_")]
X, Y = np.arange(14.0).reshape(7, 2), np.arange(7.0)


def recorder(base: type) -> Any:
    """A callback that writes down each call: hook, number and names of the logs."""

    def record(hook: str) -> Any:
        def listen(self: Any, *args: Any, logs: Any = None) -> None:
            if args and not isinstance(args[-1], int):  # Keras passes logs by name, or not
                *args, logs = args  # type: ignore[assignment]
            self.calls.append((hook, *args, sorted(logs) if logs else None))

        return listen

    hooks = {hook: record(hook) for hook in HOOKS if hook not in ("on_batch_begin", "on_batch_end")}
    made = type("Recorder", (base,), hooks)()
    made.calls = []
    return made


def test_the_calls_are_those_of_keras(keras: ModuleType) -> None:
    calls = []
    for sequential, lib, base in (
        (Sequential, layers, Callback),
        (keras.Sequential, keras.layers, keras.callbacks.Callback),
    ):
        model = sequential([lib.Dense(1)])
        model.compile("sgd", "mse", metrics=["mae"])
        callback = recorder(base)
        arguments: dict[str, Any] = {"batch_size": 3, "callbacks": [callback], "verbose": 0}
        model.fit(X, Y, epochs=2, validation_split=0.3, **arguments)
        model.evaluate(X, Y, **arguments)
        model.predict(X, **arguments)
        assert callback.model is model
        assert callback.params["steps"] == 3
        calls.append(callback.calls)
    assert calls[0] == calls[1]


def test_old_names_of_batch_hooks_and_functions_set_on_an_object() -> None:
    class Old(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(("old", batch, set(logs)))

    seen: list[Any] = []
    function = Callback()
    function.on_epoch_end = lambda epoch, logs: seen.append(("set", epoch))  # type: ignore
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0, callbacks=[Old(), function])
    assert seen == [("old", 0, {"loss"}), ("set", 0)]
    model.fit(X, Y, verbose=0, callbacks=Old())
    assert len(seen) == 3


def test_a_history_among_the_callbacks_is_the_one_returned() -> None:
    mine = History()
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    assert model.fit(X, Y, verbose=0, callbacks=[mine]) is mine
    model.fit(X, Y, verbose=0, epochs=2, callbacks=[mine])
    assert len(mine.history["loss"]) == 3
    assert mine.epoch == [0, 1]


def test_logs_changed_by_a_callback_do_not_change_the_means() -> None:
    class Clear(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            logs.clear()

    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    assert list(model.fit(X, Y, verbose=0, callbacks=[Clear()]).history) == ["loss"]


def test_something_that_is_no_callback_is_refused() -> None:
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="Received: 'x'"):
        model.fit(X, Y, callbacks=["x"])  # type: ignore[list-item]


def test_a_list_driven_by_hand_is_keras_s(keras: ModuleType) -> None:
    calls = []
    for module in (callbacks, keras.callbacks):
        inner, outer = recorder(module.Callback), recorder(module.Callback)
        outer.calls = inner.calls
        model = SimpleNamespace()
        adds = module.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(added=epoch))
        each = module.CallbackList(
            [inner, [adds, outer]], add_history=True, model=model, verbose=0, epochs=2, steps=1
        )
        logs = {"loss": 0.5, "accuracy": np.float32(0.25)}
        each.on_train_begin()
        each.on_epoch_begin(0)
        each.on_train_batch_begin(0)
        each.on_train_batch_end(0, logs)
        each.on_test_begin(logs=logs)
        each.on_epoch_end(0, logs)
        each.on_train_end(logs=logs)
        assert list(logs) == ["loss", "accuracy"], "they get a copy"
        assert inner.model is model
        assert inner.params == {"verbose": 0, "epochs": 2, "steps": 1}
        calls.append((inner.calls, list(model.history.history)))
    assert calls[0] == calls[1]
    assert calls[0][1] == ["accuracy", "loss", "added"]


def test_a_list_as_callbacks_of_a_run_is_taken_apart() -> None:
    history = History()
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    given = CallbackList([[history]], add_progbar=True, model=model)
    assert model.fit(X, Y, verbose=0, callbacks=given) is history
    assert len(history.history["loss"]) == 1
    before = model.history
    model.evaluate(X, Y, verbose=0)
    assert model.history is before


BAD: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: LambdaCallback(on_epoch_ends=print), ValueError, "Did you mean `on_epoch_end`"),
    (lambda: LambdaCallback(on_test_begin=3), TypeError, "on_test_begin=3"),
    (lambda: callbacks.EarlyStopping(3), TypeError, "monitor=3"),  # type: ignore[arg-type]
    (lambda: callbacks.LearningRateScheduler(0.1), TypeError, "schedule=0.1"),  # type: ignore[arg-type]
    (lambda: callbacks.CSVLogger("x", separator="ab"), ValueError, "separator='ab'"),
    (lambda: callbacks.ModelCheckpoint("x.h5", save_freq=0), ValueError, "save_freq=0"),
    (lambda: callbacks.ModelCheckpoint("x.h5", save_freq=True), ValueError, "save_freq=True"),
]


@pytest.mark.parametrize(("make", "error", "words"), BAD, ids=[words for _, _, words in BAD])
def test_bad_arguments(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
