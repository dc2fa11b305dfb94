"""Arguments: names, order and defaults are Keras's; what is not built yet is refused."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import fastrnn.layers
import pytest
from fastrnn.models import Sequential

LAYERS = (
    "SimpleRNN",
    "LSTM",
    "GRU",
    "Bidirectional",
    "Embedding",
    "Dense",
    "Dropout",
    "Input",
    "InputLayer",
)
METHODS = (
    "compile",
    "fit",
    "predict",
    "train_on_batch",
    "test_on_batch",
    "predict_on_batch",
    "add",
    "pop",
    "build",
    "get_layer",
    "summary",
)


def arguments(function: Any) -> list[tuple[str, Any, Any]]:
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, p.default) for p in parameters]


@pytest.mark.parametrize("name", LAYERS)
def test_constructor_arguments_are_those_of_keras(keras: ModuleType, name: str) -> None:
    ours, theirs = getattr(fastrnn.layers, name), getattr(keras.layers, name)
    assert arguments(ours) == arguments(theirs)


@pytest.mark.parametrize("name", METHODS)
def test_method_arguments_are_those_of_keras(keras: ModuleType, name: str) -> None:
    assert arguments(getattr(Sequential, name)) == arguments(getattr(keras.Sequential, name))


def test_evaluate_has_the_arguments_of_keras(keras: ModuleType) -> None:
    theirs = [each for each in arguments(keras.Sequential.evaluate) if each[0] != "kwargs"]
    assert arguments(Sequential.evaluate) == theirs


@pytest.mark.parametrize(
    "argument",
    [
        {"kernel_regularizer": "l2"},
        {"recurrent_regularizer": "l2"},
        {"bias_regularizer": "l2"},
        {"activity_regularizer": "l2"},
        {"kernel_constraint": "non_neg"},
        {"recurrent_constraint": "non_neg"},
        {"bias_constraint": "non_neg"},
        {"stateful": True},
        {"time_major": True},
    ],
    ids=lambda argument: next(iter(argument)),
)
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_what_recurrent_layers_cannot_do_yet_is_refused(
    name: str, argument: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(argument))}` of {name} is not supported"):
        getattr(fastrnn.layers, name)(3, **argument)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_arguments_without_effect_are_accepted(name: str) -> None:
    layer = getattr(fastrnn.layers, name)(
        3, dropout=0, unroll=True, implementation=1, use_cudnn=False, time_major=False, seed=4
    )
    assert layer.units == 3


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (fastrnn.layers.Dense, {"kernel_regularizer": "l2"}),
        (fastrnn.layers.Dense, {"bias_constraint": "non_neg"}),
        (fastrnn.layers.Dense, {"lora_rank": 2}),
    ],
)
def test_what_dense_cannot_do_yet_is_refused(make: Any, argument: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not supported yet"):
        make(3, **argument)


@pytest.mark.parametrize(
    "argument",
    [{"embeddings_regularizer": "l2"}, {"embeddings_constraint": "non_neg"}],
)
def test_what_embedding_cannot_do_yet_is_refused(argument: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not supported yet"):
        fastrnn.layers.Embedding(3, 2, **argument)


def test_an_unknown_argument_is_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match="Did you mean `return_sequences`"):
        fastrnn.layers.LSTM(3, return_sequence=True)


@pytest.mark.parametrize(
    ("method", "argument"),
    [
        ("fit", "class_weight"),
        ("fit", "sample_weight"),
        ("fit", "steps_per_epoch"),
        ("fit", "validation_steps"),
        ("evaluate", "sample_weight"),
        ("evaluate", "steps"),
        ("train_on_batch", "class_weight"),
        ("test_on_batch", "sample_weight"),
    ],
)
def test_what_training_cannot_do_yet_is_refused(method: str, argument: str) -> None:
    model = Sequential([fastrnn.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=f"`{argument}` of {method} is not supported yet"):
        getattr(model, method)([[1.0]], [[1.0]], **{argument: 1})
    assert not model.built
