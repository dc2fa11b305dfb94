"""Which class a config names: one of fastrnn, which registers itself, or one handed over."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from fastrnn import Sequential, layers
from fastrnn.layers.serialization import class_named, deserialize, serializable, serialize
from fastrnn.saving import custom_object_scope

NAMES = [name for name in layers.__all__ if getattr(getattr(layers, name), "__name__", "") == name]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(layers, name)) and name != "Layer"]


@pytest.mark.parametrize("name", CLASSES)
def test_every_layer_is_found_by_its_name(name: str) -> None:
    assert class_named(name) is getattr(layers, name)


def test_a_new_layer_needs_its_decorator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastrnn.layers import serialization

    monkeypatch.setattr(serialization, "_CLASSES", dict(serialization._CLASSES))
    monkeypatch.setattr(serialization, "_MODULES", dict(serialization._MODULES))

    @serializable("keras.other")
    class Triples(layers.Dense):  # type: ignore[misc, name-defined]
        __module__ = "fastrnn.layers.triples"  # as if it were a class of fastrnn's

    config = serialize(Triples(2, name="three"))
    assert config["module"] == "keras.other"
    assert type(deserialize(config)) is Triples
    model = Sequential([layers.Input((3,)), layers.TimeDistributed(Triples(2)), Triples(1)][::2])
    assert type(Sequential.from_config(model.get_config()).layers[0]) is Triples


def test_a_second_class_of_a_name_is_refused() -> None:
    class LSTM(layers.LSTM):  # type: ignore[misc, name-defined]
        pass

    with pytest.raises(ValueError, match=r"A class LSTM is known already"):
        serializable("keras.layers")(LSTM)
    assert class_named("LSTM") is layers.LSTM
    assert class_named("LSTM") is not LSTM
    assert serializable("keras.layers")(layers.LSTM) is layers.LSTM  # the same one, once more


def test_a_class_of_a_user_counts_in_its_scope_alone() -> None:
    class GRU(layers.GRU):  # type: ignore[misc, name-defined]
        pass

    wrapped = serialize(layers.TimeDistributed(layers.Bidirectional(GRU(2))))
    with custom_object_scope({"GRU": GRU}):
        inside: Any = deserialize(wrapped)
        assert type(inside.layer.forward_layer) is GRU
    inside = deserialize(wrapped)
    assert type(inside.layer.backward_layer) is layers.GRU
    with pytest.raises(ValueError, match=r"`class_name` must be one of .*Received: 'Unheard'"):
        deserialize({"class_name": "Unheard", "config": {}})


def test_an_error_says_which_layer_of_a_model_it_is() -> None:
    model = Sequential([layers.Dense(2), Sequential([layers.Dense(3, name="inner")])], name="m")
    config = model.get_config()
    config["layers"][1]["config"]["layers"][0]["config"]["units"] = -1
    with pytest.raises(
        ValueError,
        match=r"layer 1 '.*' of class Sequential: layer 0 'inner' of class Dense: `units`",
    ):
        Sequential.from_config(config)
    for broken in (None, {}, {"class_name": 3}, {"class_name": "Dense"}):
        with pytest.raises(ValueError, match=r"^layer 0"):
            Sequential.from_config({"layers": [broken]})
