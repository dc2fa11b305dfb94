"""Scripts of Keras call `numpy()` on results and `assign()` on the optimizer's scalars."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import activations, initializers, layers, losses, metrics, optimizers, regularizers
from fastrnn.naming import to_snake_case
from fastrnn.optimizers import schedules

X = np.random.default_rng(1).normal(size=(4, 5, 2)).astype(np.float32)
Y = np.random.default_rng(2).uniform(0.1, 0.9, size=(4, 1)).astype(np.float32)
P = np.random.default_rng(3).uniform(0.1, 0.9, size=(4, 1)).astype(np.float32)


def small_model(optimizer: Any = "sgd") -> fastrnn.Sequential:
    model = fastrnn.Sequential([layers.Input((5, 2)), layers.GRU(3), layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def results() -> dict[str, Any]:
    """What calls of each kind return."""
    model = small_model()
    ours: dict[str, Any] = {"model": model(X), "two states": layers.LSTM(2, return_state=True)(X)}
    tensor = layers.Input((5, 2))
    ours["functional"] = fastrnn.Model(tensor, layers.LSTM(2)(tensor))(X)
    for layer in (layers.GRU(2), layers.Dropout(0.5), layers.Masking(), layers.Flatten()):
        ours[layer.name] = layer(X)
    for name in ("relu", "softmax", "hard_sigmoid", "gelu"):
        ours[name] = activations.get(name)(X)
    for name in losses.__all__:
        cls = getattr(losses, name)
        if name != "CTC" and isinstance(cls, type) and losses.Loss in cls.__mro__[1:]:
            y, p = np.hstack([Y, 1 - Y]), np.hstack([P, 1 - P])
            ours[name] = cls()(y[:, 0] > 0.5 if name.startswith("Sparse") else y, p)
            function = getattr(losses, to_snake_case(name), None)
            if function is not None and not name.startswith("Sparse"):
                ours[function.__name__] = function(y, p)
    ours["CTC"] = losses.CTC()(np.array([[1, 2]]), np.zeros((1, 5, 3), "float32"))
    for cls in (metrics.MeanSquaredError, metrics.AUC, metrics.BinaryAccuracy, metrics.F1Score):
        ours[cls.__name__] = cls()(np.round(Y), P)
    ours["L2"] = regularizers.L2(0.1)(X)
    ours["orthogonal"] = regularizers.OrthogonalRegularizer()(X[0])
    ours["zeros"] = initializers.Zeros()((2,))
    ours["glorot"] = initializers.GlorotUniform(1)((2, 3))
    ours["decay"] = schedules.ExponentialDecay(0.1, 10, 0.9)(3)
    ours["rate"] = optimizers.SGD(schedules.CosineDecay(0.1, 10)).learning_rate
    model.fit(X, Y, verbose=0)
    ours.update({f"result {name}": each for name, each in model.get_metrics_result().items()})
    ours["metric of model"] = model.metrics[1].result()
    ours["subclass"] = type("Own", (metrics.Mean,), {"result": lambda self: 0.5})().result()
    return ours


RESULTS = results()


@pytest.mark.parametrize("name", RESULTS)
def test_results_have_numpy_and_are_plain_otherwise(name: str) -> None:
    result = RESULTS[name]
    for each in result if isinstance(result, tuple) else (result,):
        plain = each.numpy()
        assert type(plain) in (np.ndarray, np.float32)
        np.testing.assert_array_equal(plain, np.float32(each))
        if isinstance(each, np.ndarray):
            assert repr(each) == repr(plain)
            assert np.shares_memory(each, plain)
            assert (each + 1).numpy().shape == plain.shape
        else:
            assert float(each) == pytest.approx(float(plain))
        for copied in (pickle.loads(pickle.dumps(each)), copy.deepcopy(each)):
            np.testing.assert_array_equal(copied, each)


def test_predictions_and_gradients_are_plain_arrays() -> None:
    model = small_model()
    assert type(model.predict(X, verbose=0)) is np.ndarray
    assert type(model.predict_on_batch(X)) is np.ndarray
    assert type(model.get_weights()[0]) is np.ndarray
    history = model.fit(X, Y, verbose=0).history
    assert {type(value) for values in history.values() for value in values} == {float}
    assert json.loads(json.dumps(history)) == history


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_learning_rate_can_be_used_like_a_variable(optimizer: str) -> None:
    model = small_model({"class_name": optimizer, "config": {"name": "own"}})
    rate = model.optimizer.learning_rate
    assert (rate.name, rate.shape, rate.dtype) == ("learning_rate", (), "float32")
    assert rate.path == "own/learning_rate"
    assert type(rate.numpy()) is np.float32
    assert rate.value.dtype == np.float32
    rate.assign(0.25)
    assert model.optimizer.learning_rate == 0.25
    model.optimizer.learning_rate.assign(np.array(0.5))
    assert model.optimizer.learning_rate.numpy() == np.float32(0.5)
    model.optimizer.learning_rate.assign_sub(0.25)
    model.optimizer.learning_rate.assign_add(0.5)
    assert float(model.optimizer.learning_rate) == 0.75
    model.optimizer.learning_rate = model.optimizer.learning_rate * 0.5
    assert f"{model.optimizer.learning_rate:.3f}" == "0.375"
    for bad in ("fast", None, [0.1, 0.2], np.nan):
        with pytest.raises((TypeError, ValueError), match="learning_rate"):
            model.optimizer.learning_rate.assign(bad)
    assert model.optimizer.learning_rate == 0.375
    assert type(json.loads(json.dumps(model.optimizer.get_config()))["learning_rate"]) is float


def test_an_assigned_learning_rate_is_used() -> None:
    model, other = small_model(optimizers.SGD(0.1)), small_model(optimizers.SGD(0.3))
    other.set_weights(model.get_weights())
    model.optimizer.learning_rate.assign(0.3)
    for each in (model, other):
        each.train_on_batch(X, Y)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_schedule_cannot_be_assigned_to() -> None:
    optimizer = optimizers.SGD(schedules.CosineDecay(0.1, 10), name="own")
    with pytest.raises(TypeError, match="can only be set to another schedule"):
        optimizer.learning_rate.assign(0.1)
    assert [each.path for each in optimizer.variables] == ["own/iteration"]


@pytest.mark.parametrize("accumulated", [None, 3])
def test_iterations_can_be_used_like_a_variable(accumulated: int | None) -> None:
    optimizer = optimizers.SGD(0.1, gradient_accumulation_steps=accumulated)
    optimizer.iterations.assign(7)
    assert optimizer.iterations == 7
    assert optimizer.iterations.numpy() == 7
    assert optimizer.iterations.numpy().dtype == np.int64
    assert optimizer.variables[0].numpy() == 7 * (accumulated or 1)
    for bad in (-1, 0.5):
        with pytest.raises((TypeError, ValueError), match="iterations"):
            optimizer.iterations.assign(bad)
    assert optimizer.iterations == 7


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "RMSprop"])
def test_variables_can_be_saved_and_set_as_in_keras(optimizer: str) -> None:
    named = {"class_name": optimizer, "config": {"name": "own"}}
    model, other = small_model(named), small_model(named)
    model.fit(X, Y, batch_size=2, verbose=0)
    other.fit(X, Y, batch_size=4, verbose=0)
    other.set_weights(model.get_weights())
    paths = [variable.path for variable in model.optimizer.variables]
    assert paths[:2] == ["own/iteration", "own/learning_rate"]
    kept = [variable.numpy() for variable in model.optimizer.variables]
    for variable, value in zip(other.optimizer.variables, kept, strict=True):
        variable.assign(value)
    assert other.optimizer.iterations == 2
    for each in (model, other):
        each.train_on_batch(X, Y)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_paths_and_values_of_variables_are_those_of_keras(keras: Any) -> None:
    for cls in ("SGD", "Adam", "RMSprop"):
        ours = getattr(optimizers, cls)(0.5, name="own")
        theirs = getattr(keras.optimizers, cls)(0.5, name="own")
        assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
        for a, b in zip(ours.variables, theirs.variables, strict=True):
            assert a.numpy() == b.numpy()
            assert a.numpy().dtype == b.numpy().dtype
