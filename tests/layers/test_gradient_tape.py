"""`GradientTape` beside `value_and_gradients`, and what it refuses."""

from __future__ import annotations

from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, ops

RNG = np.random.default_rng(6)
X = RNG.normal(size=(5, 4)).astype(np.float32)


@pytest.fixture
def dense() -> Any:
    layer = layers.Dense(3, activation="tanh")
    layer(X)
    return layer


def test_gradients_weighted_by_those_of_the_target(dense: Any) -> None:
    weights = dense.trainable_weights
    given = RNG.normal(size=(5, 3)).astype(np.float32)
    with fastrnn.GradientTape() as tape:
        tape.watch(weights)  # weights are watched anyway
        tape.watch(weights[0])
        y = dense(X)
    found = tape.gradient(y, weights, output_gradients=given)
    _, wanted = fastrnn.value_and_gradients(lambda: ops.sum(dense(X) * given), weights)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_tape_records_once(dense: Any) -> None:
    tape = fastrnn.GradientTape()
    with tape, pytest.raises(ValueError, match="records already"):
        tape.__enter__()


def test_a_tape_watches_weights_alone(dense: Any) -> None:
    with fastrnn.GradientTape() as tape, pytest.raises(TypeError, match="watches weights"):
        tape.watch([dense.kernel, X])
