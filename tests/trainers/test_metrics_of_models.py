"""What a model says about its metrics, and the forms in which `compile` takes them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import layers, losses, metrics
from fastrnn.models import Sequential
from support.trainer_twins import assert_same_logs, compiled_twins

X, Y = np.linspace(-1, 1, 10).reshape(5, 2), np.array([0, 1, 1, 0, 1])


def make(library: Any) -> list[Any]:
    return [library.layers.Dense(1, activation="sigmoid")]


def test_names_and_results(keras: ModuleType, rng: np.random.Generator) -> None:
    theirs, ours = compiled_twins(
        keras,
        rng,
        make,
        X.shape,
        loss="crossentropy",
        metrics=lambda library: ["mse", ["acc"], "mse", library.metrics.BinaryAccuracy(name="mse")],
        weighted_metrics=lambda library: ["mae", library.metrics.MeanSquaredError(name="mse")],
    )
    names = ["loss", "mse", "acc", "mse_1", "mse_2", "mae", "weighted_mse"]
    assert ours.metrics_names == ["loss", "mse", "acc", "mse_1", "mse_2", "mae", "weighted_mse"]
    for model in (theirs, ours):
        model.evaluate(X, Y, batch_size=2, verbose=0)
    got, wanted = ours.get_metrics_result(), theirs.get_metrics_result()
    assert_same_logs(got, {name: float(value) for name, value in wanted.items()})
    assert list(got) == names == ours.metrics_names
    assert ours.evaluate(X, Y, batch_size=2, verbose=0) == list(got.values())
    assert [metric.name for metric in ours.metrics][:3] == ["loss", "mse", "acc"]
    assert [metric.result() for metric in ours.metrics] == list(got.values())
    ours.reset_metrics()
    assert set(ours.get_metrics_result().values()) == {0.0}


@pytest.mark.parametrize(
    "given",
    [
        "mae",
        ["mae"],
        ("mae",),
        {"dense": "mae"},
        {"dense": ["mae"]},
        metrics.MeanAbsoluteError(name="mae"),
        [metrics.MeanAbsoluteError(name="mae")],
        metrics.serialize(metrics.MeanAbsoluteError(name="mae")),
    ],
)
def test_forms_of_metrics(given: Any) -> None:
    model = Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=given)
    assert model.metrics_names == ["loss", "mae"]
    _, error = model.evaluate(X, Y, verbose=0)
    assert error == pytest.approx(np.abs(X.sum(axis=1) - Y).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "loss_weights"),
    [
        (["mse"], None),
        ({"dense": "mse"}, {"dense": 1}),
        (losses.MeanSquaredError(), (1.0,)),
        (losses.serialize(losses.MeanSquaredError()), np.float32(1)),
    ],
)
def test_forms_of_the_loss(loss: Any, loss_weights: Any) -> None:
    model = Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", loss, loss_weights=loss_weights)
    wanted = ((X.sum(axis=1) - Y) ** 2).mean()
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(wanted, rel=1e-5)


def test_a_loss_named_crossentropy_is_the_one_that_fits() -> None:
    def loss_of(units: int, labels: np.ndarray, name: str) -> float:
        activation = "sigmoid" if units == 1 else "softmax"
        model = Sequential([layers.Dense(units, activation, kernel_initializer="ones")])
        model.compile("sgd", name)
        value: float = model.evaluate(X, labels, verbose=0)
        return value

    one_hot = np.eye(2)[Y]
    assert loss_of(1, Y, "crossentropy") == loss_of(1, Y, "binary_crossentropy")
    assert loss_of(2, Y, "ce") == loss_of(2, Y, "sparse_categorical_crossentropy")
    assert loss_of(2, one_hot, "ce") == loss_of(2, one_hot, "categorical_crossentropy")


def test_metrics_of_a_run_do_not_leak_into_the_next() -> None:
    metric = metrics.MeanAbsoluteError(name="mae")
    model = Sequential([layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[metric])
    model.optimizer.learning_rate = 0.0
    first = model.fit(X, Y, batch_size=2, epochs=2, validation_data=(X, Y), verbose=0).history
    assert len({*first["mae"], *first["val_mae"]}) == 1
    assert model.train_on_batch(X, Y) == model.test_on_batch(X, Y)
    assert model.metrics[1] is metric


def test_a_fit_that_is_refused_leaves_no_trace_in_metrics() -> None:
    metric = metrics.MeanAbsoluteError()
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[metric])
    with pytest.raises(TypeError, match="callbacks"):
        model.fit(X, Y, callbacks=[3])
    assert metric.count == 0
    assert not model.built


def test_before_and_after_compile() -> None:
    model = Sequential([layers.Dense(1)])
    assert model.metrics == []
    assert model.metrics_names == []
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.get_metrics_result() == {"loss": 0.0, "mae": 0.0}
    model.fit(X, Y, verbose=0)
    model.compile("sgd", "mse", metrics=["mse"])
    assert model.metrics_names == ["loss", "mse"]
    assert list(model.fit(X, Y, verbose=0).history) == ["loss", "mse"]


def test_what_is_changed_between_runs_takes_effect() -> None:
    model = Sequential([layers.Dense(3, name="lower"), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    lower = model.get_layer("lower")
    before = lower.get_weights()
    lower.trainable = False
    model.train_on_batch(X, Y)
    for one, other in zip(lower.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    model.pop()
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile("sgd", "binary_crossentropy")
    assert np.isfinite(model.train_on_batch(X, Y))
