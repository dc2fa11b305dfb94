"""Callbacks are notified as Keras notifies its own."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import layers
from fastrnn.callbacks import Callback, History
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
