"""One label for all steps of a sample, as Keras broadcasts labels [batch, 1]."""

from __future__ import annotations

from typing import Any

import fastrnn
import numpy as np
import pytest

LOSSES = ["mse", "mae", "mean_squared_logarithmic_error", "huber", "log_cosh"]


@pytest.mark.parametrize("loss", LOSSES)
def test_as_keras(loss: str, rng: np.random.Generator, keras: Any) -> None:
    x, y = rng.normal(size=(6, 4, 3)).astype("f4"), rng.uniform(size=(6, 1)).astype("f4")
    theirs = keras.Sequential([keras.layers.Input((4, 3)), keras.layers.Dense(1, "sigmoid")])
    ours = fastrnn.from_keras(theirs)
    for model in (theirs, ours):
        model.compile("sgd", loss, metrics=["mae"])
    wanted = theirs.fit(x, y, 4, 2, shuffle=False, verbose=0).history
    got = ours.fit(x, y, 4, 2, shuffle=False, verbose=0).history
    for key, values in wanted.items():
        assert got[key] == pytest.approx(values, rel=1e-5), key
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    # Labels [batch] mean the same here. Keras compares each prediction with those of all samples.
    flat = fastrnn.models.clone_model(ours)
    flat.set_weights(ours.get_weights())
    flat.compile("sgd", loss)
    ours.compile("sgd", loss)
    assert flat.evaluate(x, y[:, 0], verbose=0) == ours.evaluate(x, y, verbose=0)


def test_gradients_are_those_of_labels_written_out(rng: np.random.Generator) -> None:
    y_pred, y_true = rng.normal(size=(5, 3, 1)).astype("f4"), rng.normal(size=(5, 1)).astype("f4")
    loss = fastrnn.losses.MeanSquaredError()
    whole = np.repeat(y_true, 3, axis=1)[..., np.newaxis]
    value, gradient = loss.value_and_gradient(y_true, y_pred)
    wanted, wanted_gradient = loss.value_and_gradient(whole, y_pred)
    assert value == pytest.approx(wanted)
    assert gradient.shape == y_pred.shape
    np.testing.assert_allclose(gradient, wanted_gradient, rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 2), (6, 4, 2), (5, 1), (6, 3)])
def test_other_labels_are_refused(shape: tuple[int, ...]) -> None:
    model = fastrnn.Sequential([fastrnn.layers.Input((4, 3)), fastrnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Received"):
        model.fit(np.zeros((6, 4, 3)), np.zeros(shape), verbose=0)
