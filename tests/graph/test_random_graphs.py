"""Random graphs: outputs and gradients against Keras, and gradients against central differences.

`FASTRNN_EXAMPLES=200` tries so many graphs that nobody has tried before.
"""

from __future__ import annotations

import os
from itertools import pairwise
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn.graph import Executor, Plan
from support.graphs import inputs_of
from support.keras_twins import assert_same
from support.random_graphs import random_graph

_MORE = int(os.environ.get("FASTRNN_EXAMPLES", "0"))
_NEW = np.random.default_rng().integers(40, 2**31, _MORE).tolist()
WITH_KERAS = [*range(8), *_NEW]
ALONE = [*range(40), *_NEW]


def distinct(rng: np.random.Generator, model: Any) -> list[np.ndarray]:
    values = [rng.normal(0, 0.6, w.shape).astype("f4") for w in model.weights]
    return [
        np.abs(value) + np.float32(0.1) if "variance" in w.path else value
        for value, w in zip(values, model.weights, strict=True)
    ]


# Keras warns of layers inside a model whose output nobody reads.
@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("seed", WITH_KERAS)
def test_outputs_and_gradients_are_those_of_keras(keras: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    theirs, ours = random_graph(keras, seed), random_graph(fastrnn, seed)
    weights = distinct(rng, theirs)
    for model in (theirs, ours):
        model.set_weights(weights)
    x = inputs_of(theirs, rng)
    assert_same(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    y = [rng.normal(size=(len(x[0]), *t.shape[1:])).astype("f4") for t in theirs.outputs]
    for model in (theirs, ours):
        model.compile("sgd", ["mse"] * len(y))
        model.optimizer.learning_rate = 1.0
        model.train_on_batch(x, y)
    changes = zip(weights, ours.get_weights(), theirs.get_weights(), ours.weights, strict=True)
    for old, own, wanted, variable in changes:
        scale = max(1.0, float(np.abs(wanted - old).max()))
        np.testing.assert_allclose(
            own - old, wanted - old, rtol=1e-3, atol=2e-5 * scale, err_msg=variable.path
        )


@pytest.mark.parametrize("seed", ALONE)
def test_gradients_are_central_differences(seed: int) -> None:
    """Along a random direction of all weights and of the input of numbers."""
    rng = np.random.default_rng(seed)
    model = random_graph(fastrnn, seed, smooth=True)
    model.set_weights(distinct(rng, model))
    x = inputs_of(model, rng)
    executor = Executor(Plan(model.inner_graph), model.weights, input_gradient=True)
    passed = executor.forward(x)
    d_outputs = [rng.normal(size=y.shape).astype("f4") for y in passed.outputs]
    d_inputs, gradients = executor.backward(passed.caches, d_outputs)
    directions = [rng.normal(size=g.shape).astype("f4") for g in gradients]
    along_x = rng.normal(size=x[1].shape).astype("f4")
    start = [variable.numpy() for variable in executor.variables]

    def value(step: float) -> float:
        pairs = zip(executor.variables, start, directions, strict=True)
        for variable, old, direction in pairs:
            variable.assign(old + np.float32(step) * direction)
        outputs = executor.infer([x[0], x[1] + np.float32(step) * along_x]).outputs
        pairs = zip(outputs, d_outputs, strict=True)
        return sum(float(np.sum(y * d, dtype=np.float64)) for y, d in pairs)

    # Richardson: of two steps, so that the third derivative drops out. Small steps suffer from
    # rounding and large ones from curvature; the two estimates that agree best are right (Ridders).
    steps = [0.001 * 2.0**k for k in range(5)]
    differences = [(value(h) - value(-h)) / (2 * h) for h in steps]
    estimates = [(4 * fine - coarse) / 3 for fine, coarse in pairwise(differences)]
    wanted = min(pairwise(estimates), key=lambda pair: abs(pair[0] - pair[1]))[0]
    pairs = [*zip(gradients, directions, strict=True), (d_inputs[1], along_x)]
    got = sum(float(np.sum(g * d, dtype=np.float64)) for g, d in pairs)
    size = sum(float(np.sum((g * d) ** 2, dtype=np.float64)) for g, d in pairs) ** 0.5
    assert got == pytest.approx(wanted, abs=0.01 * size + 1e-3)


def test_the_gradients_of_an_output_that_stands_twice_add_up() -> None:
    rng = np.random.default_rng(2)
    x = fastrnn.Input((4, 3))
    y = fastrnn.layers.GRU(2)(x)
    model = fastrnn.Model(x, [y, y])
    executor = Executor(Plan(model.inner_graph), model.weights)
    passed = executor.forward([rng.normal(size=(5, 4, 3)).astype("f4")])
    one, other = (rng.normal(size=(5, 2)).astype("f4") for _ in range(2))
    _, apart = executor.backward(passed.caches, [one, other])
    _, together = executor.backward(passed.caches, [one + other, None])
    for got, wanted in zip(apart, together, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
        assert np.abs(got).max() > 0.01
