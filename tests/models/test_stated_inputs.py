"""A first layer that states its input is enough to build a model."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from fastrnn import layers, models

STATED: dict[str, tuple[Callable[[], Any], tuple[int | None, ...]]] = {
    "embedding, length": (lambda: layers.Embedding(9, 3, input_length=7), (None, 7)),
    "embedding, shape": (lambda: layers.Embedding(9, 3, input_shape=(7,)), (None, 7)),
    "embedding, batch": (lambda: layers.Embedding(9, 3, input_length=7, batch_size=2), (2, 7)),
    "shape wins": (lambda: layers.Embedding(9, 3, input_length=7, input_shape=(8,)), (None, 8)),
    "dim": (lambda: layers.LSTM(2, input_dim=3), (None, None, 3)),
    "dim and length": (lambda: layers.SimpleRNN(2, input_dim=3, input_length=5), (None, 5, 3)),
    "recurrent, shape": (lambda: layers.GRU(2, input_shape=(5, 3)), (None, 5, 3)),
    "batch shape": (lambda: layers.GRU(2, batch_input_shape=(4, 5, 3)), (4, 5, 3)),
    "dense": (lambda: layers.Dense(2, input_dim=3), (None, 3)),
    "wrapper": (lambda: layers.Bidirectional(layers.LSTM(2), input_shape=(5, 3)), (None, 5, 3)),
    "inside a wrapper": (
        lambda: layers.Bidirectional(layers.LSTM(2, input_shape=(5, 3))),
        (None, 5, 3),
    ),
    "model": (
        lambda: models.Sequential([layers.Embedding(9, 3, input_length=7), layers.LSTM(2)]),
        (None, 7),
    ),
    "model in a model": (
        lambda: models.Sequential([models.Sequential([layers.Input((5, 3)), layers.GRU(2)])]),
        (None, 5, 3),
    ),
    "graph": (lambda: graph(), (None, 5, 3)),
}


def graph() -> models.Model:
    x = layers.Input((5, 3))
    return models.Model(x, layers.GRU(2)(x))


@pytest.mark.parametrize("name", STATED)
@pytest.mark.parametrize("added", [False, True])
def test_the_model_is_built(name: str, added: bool) -> None:
    first, shape = STATED[name]
    model = models.Sequential() if added else models.Sequential([first(), layers.Dense(1)])
    if added:
        model.add(first())
        model.add(layers.Dense(1))
    assert model.built
    assert model.input_shape == shape
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert "?" not in "".join(lines)
    assert f"{model.count_params():,}" in "".join(lines)
    for copied in (
        models.clone_model(model),
        models.model_from_json(model.to_json()),
        copy.deepcopy(model),
    ):
        assert copied.input_shape == shape
        assert copied.count_params() == model.count_params()


def test_what_states_nothing_waits_for_data() -> None:
    assert not models.Sequential([layers.Embedding(9, 3, input_length=None)]).built
    assert not models.Sequential([models.Sequential([layers.GRU(2)]), layers.Dense(1)]).built


def test_other_lengths_are_taken_where_the_layers_take_them() -> None:
    model = models.Sequential([layers.Embedding(9, 3, input_length=7), layers.LSTM(2)])
    assert model.predict([[1, 2], [3]], verbose=0).shape == (2, 2)
