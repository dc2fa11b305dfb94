"""Initial weights reach every system in its own layout."""

from __future__ import annotations

import numpy as np
import pytest
from comparison.systems import SYSTEMS, Plan
from comparison.weights import initial_weights, recurrent_from_torch, recurrent_to_torch
from comparison.workloads import CELLS, review_classifier

FEATURES, UNITS = 5, 3


def random_cell(cell: str) -> list[np.ndarray]:
    generator = np.random.default_rng(4)
    layers = review_classifier(7, FEATURES, UNITS)(cell)
    return [generator.random(array.shape) for array in initial_weights(layers, 0, seed=1)[1:4]]


@pytest.mark.parametrize("cell", CELLS)
def test_pytorch_layout_and_back(cell: str) -> None:
    weights = random_cell(cell)
    back = recurrent_from_torch(cell, recurrent_to_torch(cell, weights))
    for ours, theirs in zip(weights, back, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_pytorch_has_the_reset_gate_of_a_gru_first() -> None:
    kernel, _, bias = weights = random_cell("GRU")
    weight_ih, _, bias_ih, bias_hh = recurrent_to_torch("GRU", weights)
    z, r, h = np.split(kernel, 3, axis=1)
    np.testing.assert_array_equal(weight_ih, np.concatenate((r, z, h), axis=1).T)
    for side, theirs in zip(bias, (bias_ih, bias_hh), strict=True):
        z, r, h = np.split(side, 3)
        np.testing.assert_array_equal(theirs, np.concatenate((r, z, h)))


def test_initial_weights_follow_kerass_distributions() -> None:
    layers = review_classifier(50, FEATURES, UNITS)("LSTM")
    table, kernel, recurrent_kernel, bias, _, _ = initial_weights(layers, 0, seed=1)
    assert np.abs(table).max() <= 0.05
    assert np.abs(kernel).max() <= np.sqrt(6 / (FEATURES + 4 * UNITS))
    np.testing.assert_allclose(recurrent_kernel @ recurrent_kernel.T, np.eye(UNITS), atol=1e-6)
    np.testing.assert_array_equal(
        bias.reshape(4, UNITS), [[0] * UNITS, [1] * UNITS] + [[0] * UNITS] * 2
    )
    assert len(np.unique(kernel)) == kernel.size


@pytest.mark.parametrize("cell", CELLS)
def test_pytorch_trains_the_model_that_fastrnn_trains(cell: str) -> None:
    pytest.importorskip("torch")
    generator = np.random.default_rng(5)
    layers = review_classifier(7, FEATURES, UNITS)(cell)
    x = generator.integers(0, 7, (24, 6)).astype(np.int32)
    y = generator.integers(0, 2, 24).astype(np.float32)
    plan = Plan(
        layers=layers,
        weights=initial_weights(layers, 0, seed=1),
        data={"x_train": x, "y_train": y, "x_test": x, "y_test": y},
        batch=4,
        loss="binary_crossentropy",
        metric="accuracy",
        learning_rate=0.01,
    )
    ours, theirs = (SYSTEMS[name].start(plan, 1) for name in ("fastrnn", "torch"))
    for rows in (np.arange(0, 4), np.arange(4, 24)):
        assert ours.train(rows).loss == pytest.approx(theirs.train(rows).loss, rel=1e-5)
    assert ours.evaluate(8) == pytest.approx(theirs.evaluate(8), rel=1e-4)
    for a, b in zip(ours.weights(), theirs.weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
