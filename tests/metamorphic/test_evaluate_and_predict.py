"""`evaluate` is the loss of what `predict` returns, for every model of the golden table."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from fastrnn import layers, losses, models
from golden import models as golden_models
from golden.draws import draw, weight, weights_of
from golden.objects import fastrnn_object

PLAIN = [
    name
    for name, row in golden_models.CASES.items()
    if row["weights"] is None and isinstance(row["compile"]["loss"], (str, dict))
]


@pytest.mark.parametrize("name", PLAIN)
def test_golden_models(name: str) -> None:
    row = copy.deepcopy(golden_models.CASES[name])
    rng = np.random.default_rng(3)
    model = models.Sequential([fastrnn_object(each) for each in row["layers"]])
    size = row["batch_size"]
    if not model.built:
        model.build((size, *row["x"]["shape"]))
    model.set_weights(weights_of(rng, model.weights))
    given = row["compile"]["loss"]
    loss = losses.get(given if isinstance(given, str) else fastrnn_object(given))
    model.compile("sgd", loss)
    x = draw(rng, row["x"]["kind"], (size, *row["x"]["shape"]))
    y = draw(rng, row["y"]["kind"], (size, *row["y"]["shape"]))
    if model.stateful or any(layer.regularizes_activity for layer in model.layers):
        pytest.skip("the second pass begins with other states, or there is a penalty of outputs")
    total = model.evaluate(x, y, batch_size=size, verbose=0)
    total = total[0] if isinstance(total, list) else total
    mask = None
    for layer in model.layers:
        mask = layer.compute_mask(x_of(model, x, layer), mask) if layer.supports_masking else None
    wanted = float(loss(y, model.predict(x, batch_size=size, verbose=0), mask=mask))
    assert total == pytest.approx(wanted + sum(model.losses), rel=2e-5)


def x_of(model: models.Sequential, x: np.ndarray, layer: layers.Layer) -> np.ndarray:
    """Return the input of a layer."""
    for each in model.layers:
        if each is layer:
            return x
        x = each(x)
    raise AssertionError


def test_a_masking_behind_a_mask_replaces_it() -> None:
    rng = np.random.default_rng(5)
    model = models.Sequential(
        [layers.Embedding(6, 3, mask_zero=True), layers.Masking(0.0), layers.LSTM(2)]
    )
    x = np.array([[0, 3, 0, 4], [1, 0, 0, 2]])
    model.build((None, 4))
    model.set_weights([weight(rng, w.shape) for w in model.weights])
    model.compile("sgd", "mse")
    y = rng.normal(size=(2, 2))
    vectors = model.layers[0](x)
    alone = model.layers[2](vectors, mask=model.layers[1].compute_mask(vectors))
    np.testing.assert_allclose(model.predict(x, verbose=0), alone, rtol=1e-6)
    wanted = np.mean((alone - y) ** 2)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(wanted, rel=1e-5)
    assert model.train_on_batch(x, y) == pytest.approx(wanted, rel=1e-5)
