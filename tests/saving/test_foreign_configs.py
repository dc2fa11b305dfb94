"""Configs beyond the files at hand: what is no chain is refused, what older Keras wrote is read."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastrnn
import h5py
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.models import load_model, model_from_json


def tensor(name: str, number: int = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, number]}}


def layer(class_name: str, name: str, *inputs: Any, **config: Any) -> dict[str, Any]:
    nodes = [{"args": list(inputs), "kwargs": {}}] if inputs else []
    named = {"name": name, **config}
    return {"class_name": class_name, "name": name, "config": named, "inbound_nodes": nodes}


def chain() -> dict[str, Any]:
    """Return the config of a functional model whose layers stand in one row."""
    return {
        "name": "m",
        "layers": [
            layer("InputLayer", "in", batch_shape=[None, 5, 2]),
            layer("GRU", "gru", tensor("in"), units=3),
            layer("Dense", "out", tensor("gru"), units=1),
        ],
        "input_layers": [["in", 0, 0]],
        "output_layers": [["out", 0, 0]],
    }


def made(config: dict[str, Any], **others: Any) -> fastrnn.Model:
    return model_from_json(json.dumps({"class_name": "Functional", "config": config, **others}))


def _two_inputs(config: dict[str, Any]) -> None:
    config["layers"][2]["inbound_nodes"][0]["args"] = [[tensor("gru"), tensor("in")]]


def _circle(config: dict[str, Any]) -> None:
    config["layers"][1]["inbound_nodes"][0]["args"] = [tensor("out")]


def _other_start(config: dict[str, Any]) -> None:
    config["layers"].append(layer("InputLayer", "other", batch_shape=[None, 5, 2]))
    config["input_layers"] = [["other", 0, 0]]


def _states_that_do_not_fit(config: dict[str, Any]) -> None:
    config["layers"][1]["inbound_nodes"][0]["kwargs"] = {"initial_state": [tensor("in")]}


def _second_output(config: dict[str, Any]) -> None:
    config["layers"][2]["inbound_nodes"][0]["args"] = [tensor("gru", 1)]


def _unknown_end(config: dict[str, Any]) -> None:
    config["output_layers"] = [["out", 1, 0]]


def _operation(config: dict[str, Any]) -> None:
    unheard = {**layer("Unheard", "unheard", tensor("in")), "module": "keras.src.ops.numpy"}
    config["layers"].insert(1, unheard)
    config["layers"][2]["inbound_nodes"][0]["args"] = [tensor("unheard")]


@pytest.mark.parametrize(
    ("spoil", "names"),
    [
        (_two_inputs, ["'out'", "takes one input"]),
        (_circle, ["'gru', 'out'", "need outputs that no other call makes"]),
        (_other_start, ["'other' of shape (None, 5, 2)", "also need 'in'"]),
        (_states_that_do_not_fit, ["'gru'", "`initial_state`"]),
        (_second_output, ["'out'", "need outputs that no other call makes"]),
        (_unknown_end, ["no output 0 of call 1 of layer 'out'"]),
        (_operation, ["operation 'unheard' of class Unheard"]),
    ],
)
def test_what_is_not_a_graph_is_refused(
    spoil: Callable[[dict[str, Any]], None], names: list[str]
) -> None:
    config = chain()
    assert [each.name for each in made(copy.deepcopy(config)).layers] == ["in", "gru", "out"]
    spoil(config)
    with pytest.raises(ValueError, match="json_string") as caught:
        made(config)
    for name in names:
        assert name in str(caught.value)


def test_several_outputs_and_calls() -> None:
    config = chain()
    config["output_layers"] = [["out", 0, 0], ["out", 1, 0]]
    config["layers"].append(layer("Dense", "hidden", tensor("gru"), units=3))
    config["layers"][2]["inbound_nodes"].append({"args": [tensor("hidden")], "kwargs": {}})
    model = made(config)
    assert model.output_shape == [(None, 1), (None, 1)]
    assert len(model.weights) == 7  # those of `out` once


def test_the_mask_of_a_masking_layer_may_be_written_as_operations() -> None:
    config = chain()
    gru = config["layers"][1]
    gru["inbound_nodes"] = [{"args": [tensor("masking")], "kwargs": {"mask": tensor("any")}}]
    config["layers"][1:1] = [
        layer("Masking", "masking", tensor("in"), mask_value=7.0),
        layer("NotEqual", "unequal", tensor("in"), 7.0),
        layer("Any", "any", {"x": tensor("unequal")}),
    ]
    assert [each.name for each in made(config).layers] == ["in", "masking", "gru", "out"]


def test_calls_as_keras_2_wrote_them() -> None:
    config = chain()
    for inner, source in zip(config["layers"][1:], ("in", "gru"), strict=True):
        inner["inbound_nodes"] = [[[source, 0, 0, {"training": None}]]]
    assert [each.name for each in made(config).layers] == ["in", "gru", "out"]
    config["layers"][2]["inbound_nodes"] = [["gru", 0, 0]]
    assert [each.name for each in made(config).layers] == ["in", "gru", "out"]


# --------------------------------------------------------------------------- older ways to say it


def test_a_sequential_of_keras_before_2_3_is_a_list() -> None:
    members = [
        {"class_name": "GRU", "config": {"units": 3, "batch_input_shape": [None, 5, 2]}},
        {"class_name": "Dense", "config": {"units": 1, "batch_input_shape": [None, 3]}},
    ]
    model = model_from_json(json.dumps({"class_name": "Sequential", "config": members}))
    assert model.output_shape == (None, 1)
    with pytest.raises(ValueError, match="`config` of Dense must be a dict"):
        model_from_json(
            json.dumps(
                {
                    "class_name": "Sequential",
                    "config": {"layers": [{"class_name": "Dense", "config": 3}]},
                }
            )
        )


def test_old_names_of_optimizers_losses_and_metrics() -> None:
    settings = {
        "optimizer": {
            "class_name": "Custom>Adam",
            "config": {
                "lr": 0.25,
                "decay": 0.1,
                "epsilon": None,
                "schedule_decay": 0.004,
                "ema_overwrite_frequency": 100,
            },
        },
        "loss": {"class_name": "MeanSquaredError", "config": {"reduction": "auto", "fn": "mse"}},
        "metrics": [
            {"class_name": "MeanMetricWrapper", "config": {"fn": "binary_accuracy", "name": "acc"}}
        ],
    }
    with pytest.warns(UserWarning, match="`decay` of an old optimizer is left out"):
        model = made(chain(), compile_config=settings)
    config = model.optimizer.get_config()
    assert config["learning_rate"] == 0.25
    assert config["epsilon"] == 1e-7
    logs = model.train_on_batch(np.ones((2, 5, 2)), np.ones((2, 1)), return_dict=True)
    assert sorted(logs) == ["acc", "loss"]


def test_functions_and_tuples_in_wrappers() -> None:
    config = chain()
    config["layers"][0]["config"]["batch_shape"] = {
        "class_name": "__tuple__",
        "items": [None, 5, 2],
    }
    config["layers"][2]["config"]["activation"] = {"class_name": "function", "config": "sigmoid"}
    model = made(config)
    assert model.layers[-1].activation is fastrnn.activations.sigmoid


# -------------------------------------------------------------------------------- whole HDF5 files


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    model = fastrnn.Sequential([layers.Input((5, 2)), layers.GRU(3), layers.Dense(1)])
    model.compile("adam", ["mse"])
    model.train_on_batch(np.ones((2, 5, 2)), np.ones((2, 1)))
    model.save(tmp_path / "model.h5")
    return tmp_path / "model.h5"


def test_without_the_optimizer_s_state_training_begins_anew(saved: Path) -> None:
    with h5py.File(saved, "a") as file:
        del file["optimizer_weights"]
    assert int(load_model(saved).optimizer.iterations) == 0


def test_the_state_of_another_optimizer_is_left_out_with_a_warning(saved: Path) -> None:
    with h5py.File(saved, "a") as file:
        group = file["optimizer_weights"]
        names = list(group.attrs["weight_names"])
        group.attrs["weight_names"] = names[:-2]  # one less is Keras 2's form
    with pytest.warns(UserWarning, match=r"model\.h5"):
        model = load_model(saved)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.train_on_batch(np.ones((2, 5, 2)), np.ones((2, 1)))


def test_a_layer_with_fewer_weights_is_refused(saved: Path) -> None:
    with h5py.File(saved, "a") as file:
        dense = next(name for name in file["model_weights"] if name.startswith("dense"))
        group = file["model_weights"][dense]
        group.attrs["weight_names"] = list(group.attrs["weight_names"])[:1]
    with pytest.raises(ValueError, match="has 2 weights, the file 1"):
        load_model(saved)
