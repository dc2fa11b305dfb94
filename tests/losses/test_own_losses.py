"""Losses that users write: functions and classes, traced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import backend as K  # noqa: N812  as scripts name it
from fastrnn import layers, losses, models, ops

RNG = np.random.default_rng(4)
X = RNG.normal(size=(24, 5, 3)).astype(np.float32)
Y = RNG.normal(size=(24, 2)).astype(np.float32)
STEPS = RNG.normal(size=(24, 5, 2)).astype(np.float32)
WEIGHTS = RNG.random(24).astype(np.float32)


def squared(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def squared_by_backend(y_true: Any, y_pred: Any) -> Any:
    return K.mean(K.square(y_pred - y_true), axis=-1)


def squared_by_numpy(y_true: Any, y_pred: Any) -> Any:
    return np.mean((y_true - y_pred) ** 2, axis=-1)


def squared_of_all(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.square(y_true - y_pred))


def squared_with_trailing(y_true: Any, y_pred: Any) -> Any:
    return ops.square(y_true - y_pred)


class Squared(losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean((y_pred - y_true) ** 2, axis=-1)


OWN = [squared, squared_by_backend, squared_by_numpy, squared_of_all, Squared()]
KINDS = pytest.mark.parametrize("loss", OWN, ids=lambda loss: getattr(loss, "__name__", "class"))


def trained(loss: Any, steps: bool = False, masked: bool = False, **fit: Any) -> Any:
    fastrnn.utils.set_random_seed(1)
    model = fastrnn.Sequential(
        [
            *([layers.Masking(0.0)] if masked else []),
            layers.GRU(4, return_sequences=steps),
            layers.Dense(2),
        ]
    )
    model.compile(loss=loss, optimizer="sgd", metrics=["mae"])
    x = X.copy()
    x[:12, 3:] = 0
    history = model.fit(x, STEPS if steps else Y, epochs=3, batch_size=8, verbose=0, **fit)
    return model.get_weights(), history.history


def assert_same(a: Any, b: Any) -> None:
    for one, other in zip(a[0], b[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)
    assert a[1].keys() == b[1].keys()
    for key, values in a[1].items():
        np.testing.assert_allclose(values, b[1][key], rtol=2e-5)


@KINDS
def test_training_is_that_of_the_built_in_loss(loss: Any) -> None:
    assert_same(trained(loss), trained("mse"))
    assert_same(trained(loss, steps=True), trained("mse", steps=True))


@KINDS
def test_validation_and_evaluation_are_those_of_the_built_in_loss(loss: Any) -> None:
    assert_same(trained(loss, validation_data=(X, Y)), trained("mse", validation_data=(X, Y)))


@pytest.mark.parametrize("loss", [squared, squared_by_numpy, Squared()])
def test_sample_weights_and_masks_count(loss: Any) -> None:
    weighted = {"sample_weight": WEIGHTS}
    assert_same(trained(loss, **weighted), trained("mse", **weighted))
    assert_same(trained(loss, True, True), trained("mse", True, True))
    weights = trained(loss)[0]
    assert not np.allclose(weights[0], trained(loss, **weighted)[0][0])


def test_one_value_for_all_samples_is_weighed_by_the_mean_weight() -> None:
    loss, gradient = losses.get(squared_of_all).value_and_gradient(Y, Y + 1, WEIGHTS)
    assert loss == pytest.approx(WEIGHTS.mean(), rel=1e-5)
    np.testing.assert_allclose(gradient, np.full_like(Y, WEIGHTS.mean() / 24), rtol=1e-4)


def test_values_of_more_than_one_axis() -> None:
    want = losses.get("mse").value_and_gradient(Y, Y * 2)
    got = losses.get(squared_with_trailing).value_and_gradient(Y, Y * 2)
    assert got[0] == pytest.approx(want[0], rel=1e-5)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-5)


def test_labels_may_have_another_form() -> None:
    """Quantiles: three predictions for one label."""

    def pinball(y_true: Any, y_pred: Any) -> Any:
        error = y_true - y_pred
        levels = np.array([0.1, 0.5, 0.9], np.float32)
        return ops.mean(ops.maximum(levels * error, (levels - 1) * error), axis=-1)

    model = fastrnn.Sequential([layers.LSTM(8), layers.Dense(3)])
    model.compile(loss=pinball, optimizer=fastrnn.optimizers.Adam(0.05))
    losses_of = model.fit(X, Y[:, :1], epochs=30, verbose=0).history["loss"]
    assert losses_of[-1] < 0.5 * losses_of[0]
    low, middle, high = np.mean(Y[:, :1] < model.predict(X, verbose=0), axis=0)
    assert low < middle < high


def test_each_output_has_a_loss_of_its_own() -> None:
    fastrnn.utils.set_random_seed(0)
    inputs = fastrnn.Input((5, 3))
    state = layers.LSTM(4)(inputs)
    model = fastrnn.Model(inputs, [layers.Dense(2)(state), layers.Dense(1)(state)])
    model.compile(loss=[squared, "mae"], loss_weights=[1.0, 0.5], optimizer="sgd")
    copy = models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile(loss=["mse", "mae"], loss_weights=[1.0, 0.5], optimizer="sgd")
    for each in (model, copy):
        each.fit(X, [Y, Y[:, :1]], epochs=2, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("end", ["keras", "h5"])
def test_files_name_the_function(end: str, tmp_path: Path) -> None:
    model = fastrnn.Sequential([layers.LSTM(4), layers.Dense(2)])
    model.compile(loss=squared, optimizer="sgd", metrics=[squared_of_all])
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / f"model.{end}")
    again = models.load_model(
        tmp_path / f"model.{end}",
        custom_objects={"squared": squared, "squared_of_all": squared_of_all},
    )
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    again.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="squared"):
        models.load_model(tmp_path / f"model.{end}")


def test_keras_s_config_of_a_function_is_read() -> None:
    config = {
        "module": "builtins",
        "class_name": "function",
        "config": "squared",
        "registered_name": "function",
    }
    with fastrnn.saving.custom_object_scope({"squared": squared}):
        assert losses.get(config).name == "squared"
        assert losses.get("squared")([[1.0]], [[3.0]]) == 4.0
        assert fastrnn.metrics.get("squared").name == "squared"


def test_what_is_not_traced_imports_no_autograd(run_python: Any) -> None:
    code = """
import sys
import fastrnn
import numpy as np
from fastrnn import layers, ops
model = fastrnn.Sequential([layers.LSTM(3), layers.Dense(1)])
model.compile(loss="mse", metrics=[lambda t, p: ops.mean(ops.abs(t - p))])
model.fit(np.ones((4, 3, 2)), np.ones(4), verbose=0)
print("autograd" in sys.modules)
model.compile(loss=lambda t, p: ops.mean(ops.abs(t - p)))
model.fit(np.ones((4, 3, 2)), np.ones(4), verbose=0)
print("autograd" in sys.modules)
"""
    assert run_python(code).stdout.split() == ["False", "True"]
