"""`fit`, `evaluate` and kin against live Keras: every number that they report."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, optimizers
from fastrnn.models import Sequential

SAMPLES, STEPS, FEATURES = 22, 5, 3

TASKS: dict[str, tuple[str, str | None, int, list[str]]] = {
    # loss: activation of the last layer, its units, metrics
    "binary_crossentropy": ("binary_crossentropy", "sigmoid", 1, ["accuracy", "mae"]),
    "mse": ("mse", None, 1, ["mae", "mse"]),
    "mae": ("mae", "tanh", 2, []),
    "categorical_crossentropy": ("categorical_crossentropy", "softmax", 3, ["acc"]),
    "sparse_categorical_crossentropy": (
        "sparse_categorical_crossentropy",
        "softmax",
        3,
        ["accuracy"],
    ),
}


def data(rng: np.random.Generator, task: str) -> tuple[np.ndarray, np.ndarray]:
    _, _, units, _ = TASKS[task]
    x = rng.normal(size=(SAMPLES, STEPS, FEATURES)).astype("float32")
    if task == "binary_crossentropy":
        return x, rng.integers(0, 2, SAMPLES)
    if task.endswith("categorical_crossentropy"):
        classes = rng.integers(0, units, SAMPLES)
        return x, classes if task.startswith("sparse") else np.eye(units, dtype="f")[classes]
    return x, rng.normal(size=(SAMPLES, units))


def twins(
    keras: ModuleType, rng: np.random.Generator, task: str, cell: str = "GRU", scale: float = 0.5
) -> tuple[Any, Any]:
    """The same model in Keras and in fastrnn, compiled, with the same random weights."""
    loss, activation, units, metrics = TASKS[task]
    pair = []
    for library, sequential in ((keras, keras.Sequential), (fastrnn, Sequential)):
        lib = library.layers if library is keras else layers
        inside = [getattr(lib, cell)(4), lib.Dense(units, activation=activation)]
        model = sequential([lib.Input((STEPS, FEATURES)), *inside])
        model.compile("adam", loss, metrics=list(metrics) or None)
        pair.append(model)
    weights = [rng.normal(0, scale, w.shape).astype("float32") for w in pair[1].get_weights()]
    for model in pair:
        model.set_weights(weights)
    return pair[0], pair[1]


def assert_close_histories(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert list(ours) == list(theirs), "the same keys in the same order"
    for key, values in theirs.items():
        np.testing.assert_allclose(ours[key], values, rtol=1e-4, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("task", TASKS)
def test_history_with_a_validation_split(
    keras: ModuleType, rng: np.random.Generator, task: str
) -> None:
    x, y = data(rng, task)
    theirs, ours = twins(keras, rng, task)
    arguments: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 4,
        "validation_split": 0.3,  # 15 for training, so that the last batch is smaller
        "shuffle": False,
        "verbose": 0,
    }
    wanted, got = theirs.fit(x, y, **arguments), ours.fit(x, y, **arguments)
    assert_close_histories(got.history, wanted.history)
    assert all(isinstance(value, float) for value in got.history["loss"])
    assert got.epoch == wanted.epoch == [0, 1, 2]
    assert got.params == wanted.params
    assert ours.history is got
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-5)

    arguments = {"batch_size": 7, "verbose": 0}
    np.testing.assert_allclose(
        ours.evaluate(x, y, **arguments), theirs.evaluate(x, y, **arguments), rtol=1e-4
    )
    left, right = (m.evaluate(x, y, return_dict=True, **arguments) for m in (ours, theirs))
    assert list(left) == list(right)
    np.testing.assert_allclose(ours.predict(x, **arguments), ours(x), rtol=1e-6)
    np.testing.assert_allclose(
        ours.predict(x, **arguments), theirs.predict(x, **arguments), rtol=1e-3, atol=1e-5
    )
    np.testing.assert_allclose(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), rtol=1e-4)
    np.testing.assert_allclose(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-4)
    left, right = (m.train_on_batch(x, y, return_dict=True) for m in (ours, theirs))
    assert list(left) == list(right)
    np.testing.assert_allclose(list(left.values()), list(right.values()), rtol=1e-4)
    np.testing.assert_array_equal(ours.predict_on_batch(x), ours(x))


@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
def test_fifty_steps_of_fit_follow_the_losses_of_keras(
    keras: ModuleType, rng: np.random.Generator, cell: str
) -> None:
    x, y = data(rng, "binary_crossentropy")
    theirs, ours = twins(keras, rng, "binary_crossentropy", cell)
    losses: dict[int, list[float]] = {}
    for model, base in ((theirs, keras.callbacks.Callback), (ours, fastrnn.callbacks.Callback)):
        seen = losses.setdefault(id(model), [])

        class Record(base):  # type: ignore[misc, valid-type]
            def on_train_batch_end(self, batch: int, logs: Any = None, seen: Any = seen) -> None:
                seen.append(logs["loss"])

        model.optimizer.learning_rate = 0.01
        callbacks = [Record()]
        model.fit(x, y, epochs=10, batch_size=5, shuffle=False, verbose=0, callbacks=callbacks)
    assert len(losses[id(ours)]) == 50
    np.testing.assert_allclose(losses[id(ours)], losses[id(theirs)], rtol=1e-4)
    assert losses[id(ours)][-1] < 0.95 * losses[id(ours)][4], "it must have learned"


@pytest.mark.parametrize(
    "task",
    ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"],
)
def test_the_loss_of_saturated_probabilities_is_exact(
    keras: ModuleType, rng: np.random.Generator, task: str
) -> None:
    """Keras computes it from the scores before a sigmoid or softmax, without clipping."""
    x, y = data(rng, task)
    theirs, ours = twins(keras, rng, task, scale=60.0)
    wanted, got = theirs.evaluate(x, y, verbose=0), ours.evaluate(x, y, verbose=0)
    assert wanted[0] > 20, "beyond -log(1e-7) = 16.1"
    np.testing.assert_allclose(got, wanted, rtol=1e-4)
    for model in (ours, theirs):
        model.compile(
            optimizers.SGD(1.0) if model is ours else keras.optimizers.SGD(1.0), model.loss
        )
        model.train_on_batch(x, y)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


def test_validation_data_frequency_and_initial_epoch(
    keras: ModuleType, rng: np.random.Generator
) -> None:
    x, y = data(rng, "mse")
    theirs, ours = twins(keras, rng, "mse")
    arguments: dict[str, Any] = {
        "epochs": 6,
        "initial_epoch": 1,
        "batch_size": 8,
        "validation_data": (x[:7], y[:7]),
        "validation_batch_size": 3,
        "validation_freq": 2,
        "shuffle": False,
        "verbose": 0,
    }
    wanted, got = theirs.fit(x, y, **arguments), ours.fit(x, y, **arguments)
    assert_close_histories(got.history, wanted.history)
    assert len(got.history["val_loss"]) == 3
    assert got.epoch == wanted.epoch == [1, 2, 3, 4, 5]


def test_a_loss_alone_is_returned_as_a_number(keras: ModuleType, rng: np.random.Generator) -> None:
    x, y = data(rng, "mae")
    theirs, ours = twins(keras, rng, "mae")
    wanted = theirs.evaluate(x, y, verbose=0)
    got = ours.evaluate(x, y, verbose=0)
    assert isinstance(got, float)
    assert got == pytest.approx(wanted, rel=1e-5)
    assert ours.fit(x, y, epochs=0, verbose=0).history == {}
