"""SGD on a large table touches only the rows that occur, and gets the bits of the whole update."""

from __future__ import annotations

from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, optimizers, table_gradient

VOCABULARY = 3000
TOKENS = np.array([[5, 0, 2999, 5], [17, 5, 0, 1024]])
Y = np.array([[0.5], [-2.0]], np.float32)

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.01},
    "global": {"global_clipnorm": 0.01},
    "clipvalue": {"clipvalue": 0.001},
    "ema": {"use_ema": True, "ema_overwrite_frequency": 2},
    "accumulated": {"gradient_accumulation_steps": 2},
    "scaled": {"loss_scale_factor": 8.0},
}


def model(kind: str, **options: Any) -> fastrnn.Sequential:
    regularizer = fastrnn.regularizers.L2(0.1) if kind == "regularized" else None
    table = layers.Embedding(VOCABULARY, 3, embeddings_regularizer=regularizer)
    above = [layers.GRU(2)] if kind == "tokens" else [layers.Flatten()]
    made = fastrnn.Sequential([layers.Input((4,)), table, *above, layers.Dense(1)])
    rng = np.random.default_rng(6)
    made.set_weights([rng.normal(size=weight.shape) for weight in made.get_weights()])
    made.compile(optimizers.SGD(**{"learning_rate": 0.1, **options}), "mse")
    return made


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", ["tokens", "vectors", "regularized"])
def test_rows_get_the_bits_of_the_whole_update(kind: str, option: str, monkeypatch: Any) -> None:
    by_rows, whole = (model(kind, **OPTIONS[option]) for _ in range(2))
    for _ in range(4):
        by_rows.train_on_batch(TOKENS, Y)
    monkeypatch.setattr(table_gradient.TableGradient, "rows", lambda self: None)
    for _ in range(4):
        whole.train_on_batch(TOKENS, Y)
    for a, b in zip(by_rows.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["tokens", "vectors"])
def test_only_rows_that_occur_are_touched(kind: str) -> None:
    made = model(kind)
    before = made.get_weights()[0]
    made.layers[0].embeddings.value[100] = 1e-42  # a whole update would flush it to zero
    made.train_on_batch(TOKENS, Y)
    after = made.get_weights()[0]
    changed = np.flatnonzero((after != before).any(axis=1))
    assert set(changed) == {*TOKENS.ravel().tolist(), 100}
    assert after[100, 0] == np.float32(1e-42)


def test_what_is_computed_from_a_gradient_does_not_know_the_tokens() -> None:
    gradient = table_gradient.table_gradient(np.zeros((VOCABULARY, 2), np.float32), TOKENS)
    np.testing.assert_array_equal(gradient.rows(), np.unique(TOKENS))
    for other in (gradient + 1, gradient * 2, gradient[::2], gradient.copy()):
        assert other.rows() is None
    assert table_gradient.table_gradient(np.zeros((30, 2)), TOKENS).rows() is None
