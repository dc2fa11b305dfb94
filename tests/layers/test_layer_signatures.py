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
    "AveragePooling1D",
    "BatchNormalization",
    "Conv1D",
    "Cropping1D",
    "Identity",
    "MaxPooling1D",
    "UpSampling1D",
    "ZeroPadding1D",
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


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU", "Bidirectional"])
def test_call_arguments_are_those_of_keras(keras: ModuleType, name: str) -> None:
    theirs = list(inspect.signature(getattr(keras.layers, name).call).parameters)
    assert list(inspect.signature(getattr(fastrnn.layers, name).__call__).parameters) == theirs


@pytest.mark.parametrize("name", METHODS)
def test_method_arguments_are_those_of_keras(keras: ModuleType, name: str) -> None:
    assert arguments(getattr(Sequential, name)) == arguments(getattr(keras.Sequential, name))


def test_evaluate_has_the_arguments_of_keras(keras: ModuleType) -> None:
    theirs = [each for each in arguments(keras.Sequential.evaluate) if each[0] != "kwargs"]
    assert arguments(Sequential.evaluate) == theirs


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_sequences_with_the_time_first_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"`time_major` of {name} is not supported"):
        getattr(fastrnn.layers, name)(3, time_major=True)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_arguments_without_effect_are_accepted(name: str) -> None:
    layer = getattr(fastrnn.layers, name)(
        3, dropout=0, unroll=True, implementation=1, use_cudnn=False, time_major=False, seed=4
    )
    assert layer.units == 3


@pytest.mark.parametrize(
    "argument", [{"lora_rank": 2}, {"lora_alpha": 0.5}, {"quantization_config": {}}]
)
def test_what_dense_and_embedding_do_not_do_is_refused(argument: dict[str, Any]) -> None:
    for name in ("Dense", "Embedding"):
        with pytest.raises(ValueError, match=f"of {name} is not supported yet"):
            getattr(fastrnn.layers, name)(3, 2, **argument)


def test_an_unknown_argument_is_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match="Did you mean `return_sequences`"):
        fastrnn.layers.LSTM(3, return_sequence=True)
