"""Callbacks in `fit`: what they do to logs, History, files and weights is what Keras's do."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import callbacks, layers, metrics, optimizers
from fastrnn.callbacks.monitor_callback import MonitorCallback
from fastrnn.models import Sequential

X = np.array([[0.0, 1.0], [2.0, -1.0], [1.0, 1.0], [3.0, 0.5], [1.0, 2.0], [0.5, 0.5]])
Y = np.array([[1.0], [0.0], [1.0], [0.0], [0.0], [1.0]])
WEIGHTS = [np.array([[0.3], [-0.6]]), np.array([0.1])]


def made(sequential: Any, lib: Any, **compile_arguments: Any) -> Any:
    model = sequential([lib.Input((2,)), lib.Dense(1)])
    model.set_weights(WEIGHTS)
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compile_arguments})
    return model


def note(seen: list[Any], hook: str, *number: int, logs: Any = None) -> None:
    if len(number) and not isinstance(number[-1], int):  # logs come by name, or not
        *number, logs = number  # type: ignore[assignment]
    seen.append((hook, *number, list(logs)))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_many_at_once_do_what_they_do_in_keras(keras: ModuleType, tmp_path: Path) -> None:
    results = []
    for sequential, lib, optimizer, module in (
        (Sequential, layers, optimizers.SGD, callbacks),
        (keras.Sequential, keras.layers, keras.optimizers.SGD, keras.callbacks),
    ):
        model = made(sequential, lib, optimizer=optimizer(0.03), metrics=["mae"])
        seen: list[Any] = []
        table = tmp_path / module.__name__
        stop = module.EarlyStopping(patience=3, restore_best_weights=True, min_delta=0.01)
        history = model.fit(
            X,
            Y,
            batch_size=3,
            epochs=12,
            verbose=0,
            shuffle=False,
            validation_data=(X[:4] + 0.1, Y[:4]),
            callbacks=[
                module.LearningRateScheduler(lambda epoch, rate: rate * (1.8 if epoch < 5 else 1)),
                module.ReduceLROnPlateau(factor=0.5, patience=1),
                stop,
                [module.CSVLogger(table), module.TerminateOnNaN()],
                module.LambdaCallback(
                    on_train_begin=partial(note, seen, "begin"),
                    on_epoch_end=partial(note, seen, "epoch"),
                    on_train_batch_end=partial(note, seen, "batch"),
                    on_test_begin=partial(note, seen, "test"),
                    on_train_end=partial(note, seen, "end"),
                ),
            ],
        )
        assert model.history is history
        results.append((history, table.read_text().splitlines(), seen, stop, model))
    (ours, our_table, our_calls, stop, model), (theirs, their_table, their_calls, _, twin) = results
    assert 5 < len(ours.epoch) < 12, "it stopped"
    assert ours.epoch == theirs.epoch
    assert list(ours.history) == list(theirs.history)
    for name, values in ours.history.items():
        np.testing.assert_allclose(values, theirs.history[name], rtol=1e-4, err_msg=name)
    assert len(set(ours.history["learning_rate"])) > 4
    assert our_table[0] == their_table[0]
    assert len(our_table) == len(their_table)
    assert our_calls == their_calls
    for weight, wanted in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(weight, wanted, rtol=1e-4)
    loss, _ = model.evaluate(X[:4] + 0.1, Y[:4], verbose=0)
    assert loss == pytest.approx(stop.best) == ours.history["val_loss"][stop.best_epoch]
    assert stop.best_epoch < ours.epoch[-1], "not the last weights"


def test_which_direction_is_better_comes_from_the_metric(keras: ModuleType) -> None:
    from keras.src.trainers.compile_utils import CompileMetrics

    def direction(monitor: Any, listed: list[Any], name: str) -> bool | None:
        watch = monitor(f"val_{name}")
        watch.set_model(SimpleNamespace(metrics=listed))
        try:
            watch._set_monitor_op()
        except ValueError:
            return None
        return bool(watch.monitor_op(2.0, 1.0))

    arguments = {cls: (0.5,) for cls in metrics.__all__ if "At" in cls}
    arguments["MeanMetricWrapper"] = (own_metric,)
    classes = [name for name in metrics.__all__ if name[0].isupper() and name != "Metric"]
    found: dict[bool | None, int] = {True: 0, False: 0, None: 0}
    identifiers: list[Any] = [
        lambda lib, name=name: getattr(lib.metrics, name)(*arguments.get(name, ()))
        for name in classes
    ]
    identifiers += [
        lambda lib, name=name: lib.metrics.MeanMetricWrapper(getattr(lib.losses, name), name=name)
        for name in ("huber", "log_cosh", "poisson")
    ]
    identifiers.append(lambda lib: lib.metrics.MeanMetricWrapper(lib.losses.Huber(), name="h"))
    for make in identifiers:
        theirs, ours = make(keras), make(fastrnn)
        gathered = CompileMetrics([theirs], [])
        gathered.build(np.zeros((1, 1)), np.zeros((1, 1)))
        wanted = direction(keras.src.callbacks.MonitorCallback, [gathered], theirs.name)
        assert direction(MonitorCallback, [ours], ours.name) == wanted, theirs.name
        found[wanted] += 1
    assert all(count > 3 for count in found.values())
    assert direction(MonitorCallback, [], "loss") is False


def own_metric(y_true: Any, y_pred: Any) -> Any:
    """A function of which nobody knows whether more of it is better."""
    return (y_true - y_pred) ** 2


def test_the_direction_of_a_metric_decides_in_fit() -> None:
    # Accuracy falls: with less as better this would go on.
    model = made(Sequential, layers, metrics=["accuracy"], optimizer=optimizers.SGD(0.0))
    stop = callbacks.EarlyStopping("accuracy", patience=1, restore_best_weights=True)
    falling = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(accuracy=1.0 / (1 + epoch))
    )
    model.fit(X, Y, epochs=9, verbose=0, callbacks=[falling, stop])
    assert stop.stopped_epoch == 1
    assert stop.best == 1.0
