"""A model that was saved and loaded, cloned or pickled is the same model."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models, saving
from golden import models as golden_models
from golden.draws import draw, weights_of
from golden.objects import fastrnn_object


def cloned(model: Any, folder: Path) -> Any:
    made = models.clone_model(model)
    if not made.built:
        made.build(model.input_shape)
    made.set_weights(model.get_weights())
    return made


def saved(ending: str) -> Callable[[Any, Path], Any]:
    def copied(model: Any, folder: Path) -> Any:
        model.save(folder / f"model{ending}")
        return saving.load_model(folder / f"model{ending}")

    return copied


def reweighted(model: Any, folder: Path) -> Any:
    made = models.clone_model(model)
    if not made.built:
        made.build(model.input_shape)
    model.save_weights(folder / "model.weights.h5")
    made.load_weights(folder / "model.weights.h5")
    return made


COPIES: dict[str, Callable[[Any, Path], Any]] = {
    "keras": saved(".keras"),
    "h5": saved(".h5"),
    "weights": reweighted,
    "clone": cloned,
    "pickle": lambda model, folder: pickle.loads(pickle.dumps(model)),
    "deep copy": lambda model, folder: copy.deepcopy(model),
}


@pytest.mark.parametrize("name", golden_models.CASES)
def test_copies_predict_and_train_alike(name: str, tmp_path: Path) -> None:
    row = copy.deepcopy(golden_models.CASES[name])
    model, x = weighted(row)
    copies = {kind: make(model, tmp_path) for kind, make in COPIES.items()}
    assert_same_models(copies, model, x, row)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # Keras's
@pytest.mark.parametrize("name", golden_models.CASES)
def test_there_and_back_predicts_and_trains_alike_vs_keras(keras: Any, name: str) -> None:
    row = copy.deepcopy(golden_models.CASES[name])
    model, x = weighted(row)
    back = fastrnn.from_keras(fastrnn.to_keras(model))
    # Keras rounds the factors of regularizers to float32.
    assert_same_models({"there and back": back}, model, x, row, rtol=1e-6)


def weighted(row: dict[str, Any]) -> tuple[models.Sequential, np.ndarray]:
    """Make a golden model with weights of its own, and inputs."""
    rng = np.random.default_rng(11)
    model = models.Sequential([fastrnn_object(each) for each in row["layers"]])
    size = row["batch_size"]
    if not model.built:
        model.build((size, *row["x"]["shape"]))
    model.set_weights(weights_of(rng, model.weights))
    for index in row["frozen"]:
        model.layers[index].trainable = False
    return model, draw(rng, row["x"]["kind"], (size, *row["x"]["shape"]))


def assert_same_models(
    copies: dict[str, Any], model: Any, x: np.ndarray, row: dict[str, Any], rtol: float = 0.0
) -> None:
    """Compare predictions, to the bit, and losses and weights of two steps."""
    size = row["batch_size"]
    y = draw(np.random.default_rng(12), row["y"]["kind"], (size, *row["y"]["shape"]))
    results = {}
    for kind, each in (copies | {"itself": model}).items():
        prediction = each.predict(x, batch_size=size, verbose=0)
        if each.stateful:
            each.reset_states()
        loss = row["compile"]["loss"]
        each.compile("adam", loss if isinstance(loss, str) else fastrnn_object(loss))
        losses = [each.train_on_batch(x, y) for _ in range(2)] if not draws(each) else []
        moved = [a.shape for a in each.trainable_weights]
        results[kind] = prediction, losses, moved, each.get_weights()
    prediction, losses, moved, weights = results.pop("itself")
    for kind, (own_prediction, own_losses, own_moved, own_weights) in results.items():
        np.testing.assert_array_equal(own_prediction, prediction, err_msg=kind)
        np.testing.assert_allclose(own_losses, losses, rtol, err_msg=kind)
        assert own_moved == moved, kind
        for own, wanted in zip(own_weights, weights, strict=True):
            np.testing.assert_allclose(own, wanted, rtol, rtol, err_msg=kind)


def draws(layer: Any) -> bool:
    """Whether training draws random numbers, from seeds that each model has for itself."""
    rates = ("rate", "dropout", "recurrent_dropout", "stddev")
    own = any(getattr(layer, name, 0) for name in rates)
    return own or any(map(draws, layer._sublayers()))


class Handing(layers.LSTM):
    """A subclass that hands all its arguments on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


def test_a_subclass_that_hands_its_arguments_on_is_saved(tmp_path: Path) -> None:
    model = models.Sequential([layers.Input((3, 2)), Handing(2, return_sequences=True)])
    model.save(tmp_path / "model.keras")
    made = saving.load_model(tmp_path / "model.keras", custom_objects={"Handing": Handing})
    x = np.random.default_rng(1).normal(size=(2, 3, 2))
    np.testing.assert_array_equal(made.predict(x, verbose=0), model.predict(x, verbose=0))
    assert isinstance(made.layers[0], Handing)


def handing(base: type[layers.Layer]) -> type[layers.Layer]:
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        base.__init__(self, *args, **kwargs)

    return type(f"Own{base.__name__}", (base,), {"__init__": init})


class Extended(layers.LSTM):
    """A subclass with an argument of its own, which hands the named ones on."""

    def __init__(self, units: int, extra: int = 3, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.extra = extra


class Named(layers.Dense):
    """A subclass that takes nothing but named arguments."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)


OWN = (Handing, Extended, Named, handing(layers.Bidirectional), handing(layers.Embedding))


def test_subclasses_keep_their_arguments_in_every_copy(tmp_path: Path) -> None:
    _, _, _, own_bidirectional, own_embedding = OWN
    model = models.Sequential(
        [
            layers.Input((4,)),
            own_embedding(6, 3, mask_zero=True),
            Extended(2, extra=5, return_sequences=True, activation="relu"),
            own_bidirectional(Handing(2, return_sequences=True), merge_mode="sum"),
            layers.TimeDistributed(Named(units=2, use_bias=False, activation="sigmoid")),
        ]
    )
    x = np.array([[1, 2, 0, 3], [5, 0, 0, 0]])
    with saving.custom_object_scope({each.__name__: each for each in OWN}):
        copies = {kind: COPIES[kind](model, tmp_path) for kind in ("keras", "h5", "weights")}
        copies["json"] = models.model_from_json(model.to_json())
        copies["json"].set_weights(model.get_weights())
    copies["clone"] = cloned(model, tmp_path)  # which knows the classes
    for kind, made in copies.items():
        got = made.predict(x, verbose=0)
        np.testing.assert_array_equal(got, model.predict(x, verbose=0), err_msg=kind)
        assert made.get_config() == model.get_config(), kind
        for a, b in zip(made.layers, model.layers, strict=True):
            assert type(a) is type(b), kind
    assert [layer.extra for layer in (model.layers[1], copies["keras"].layers[1])] == [5, 5]


@pytest.mark.parametrize(
    "base",
    [each for each in vars(layers).values() if isinstance(each, type)],
    ids=lambda base: base.__name__,
)
def test_subclasses_of_every_layer_have_its_config(base: type[layers.Layer]) -> None:
    if not issubclass(base, layers.Layer) or base is layers.InputLayer:
        pytest.skip("is no layer, or one that is not subclassed")
    options = {name: value for name, value in ARGUMENTS.items() if name in base._argument_names()}
    if "layer" in base._argument_names():
        options["layer"] = layers.GRU(2, return_sequences=True, name="inside")
    wanted, got = (cls(**options, name="one").get_config() for cls in (base, handing(base)))
    assert got == wanted


ARGUMENTS: dict[str, Any] = {
    "cell": layers.LSTMCell(2, name="inside"),
    "cells": [layers.GRUCell(2, name="inside")],
    "units": 2,
    "function": abs,
    "input_dim": 7,
    "output_dim": 3,
    "filters": 2,
    "kernel_size": 3,
    "rate": 0.25,
    "scale": 0.5,
    "stddev": 0.5,
    "n": 2,
    "dims": (2, 1),
    "target_shape": (2, 3),
    "activation": "relu",
    "return_sequences": True,
    "merge_mode": "sum",
    "epsilon": 0.125,
    "pool_size": 3,
    "axes": 1,
    "strides": 1,
    "cropping": 2,
    "size": 3,
    "num_heads": 2,
    "key_dim": 3,
}


def test_what_a_config_lacks_is_named() -> None:
    class Renaming(layers.LSTM):
        def __init__(self, number: int, *args: Any, **kwargs: Any) -> None:
            super().__init__(number, *args, **kwargs)

    with pytest.raises(ValueError, match=r"`get_config` of Renaming must be .*\['number'\]"):
        Renaming(2).get_config()


class OwnGraph(models.Model):
    """A functional model with a constructor and a config of its own."""

    def __init__(self, size: int = 3, **kwargs: Any) -> None:
        x = layers.Input((5, 3))
        super().__init__(x, layers.GRU(size)(x), **kwargs)
        self.size = size

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "size": self.size}


class OwnStack(models.Sequential):
    """A Sequential likewise."""

    def __init__(self, size: int = 3, name: str | None = None) -> None:
        super().__init__([layers.Input((5, 3)), layers.GRU(size)], name=name)
        self.size = size

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "size": self.size}


@pytest.mark.parametrize("cls", [OwnGraph, OwnStack])
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_models_with_a_constructor_of_their_own_are_saved(
    cls: Any, ending: str, tmp_path: Path
) -> None:
    model = cls(4)
    model.save(tmp_path / f"model{ending}")
    made = saving.load_model(tmp_path / f"model{ending}", custom_objects={cls.__name__: cls})
    x = np.random.default_rng(1).normal(size=(2, 5, 3))
    np.testing.assert_array_equal(made.predict(x, verbose=0), model.predict(x, verbose=0))
    assert type(made) is cls
    assert made.size == 4
