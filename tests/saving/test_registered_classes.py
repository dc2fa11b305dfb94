"""Classes and functions that a program registers are found by files without `custom_objects`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models, ops, utils

X = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)


def registered(library: Any, ops_of: Any) -> tuple[type, type, Any]:
    """Register a layer under another name, a model and a loss."""
    register = library.saving.register_keras_serializable

    @register(package="shop", name="Scale2")
    class Scale(library.layers.Layer):  # type: ignore[misc]
        def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape: Any) -> None:
            self.weight = self.add_weight(name="weight", shape=(input_shape[-1],))

        def call(self, inputs: Any) -> Any:
            return inputs * self.weight * self.factor

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    @register()
    class Scaled(library.Model):  # type: ignore[misc]
        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.dense, self.scale = library.layers.Dense(units), Scale(3.0)

        def call(self, inputs: Any) -> Any:
            return self.scale(self.dense(inputs))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    @register(package="shop")
    def halved(y_true: Any, y_pred: Any) -> Any:
        return 0.5 * ops_of.mean(ops_of.square(y_true - y_pred), axis=-1)

    return Scale, Scaled, halved


def test_files_find_what_is_registered(tmp_path: Path) -> None:
    scale, scaled, halved = registered(fastrnn, ops)
    assert utils.get_registered_name(scale) == "shop>Scale2"
    assert utils.get_registered_object("Custom>Scaled") is scaled
    inputs = layers.Input((4,))
    made = [scaled(5), models.Model(inputs, scale(4.0)(inputs))]
    for number, model in enumerate(made):
        path = tmp_path / f"{number}.keras"
        model.compile("sgd", halved)
        model.fit(X, model.predict(X, verbose=0) + 1, verbose=0)
        model.save(path)
        again = models.load_model(path)
        np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
        loss = again.evaluate(X, again.predict(X, verbose=0) + 1, verbose=0)
        assert loss == pytest.approx(0.5, rel=1e-5)
    config = json.loads(zipfile.ZipFile(tmp_path / "0.keras").read("config.json"))
    assert (config["class_name"], config["registered_name"]) == ("Scaled", "Custom>Scaled")
    assert config["compile_config"]["loss"] == "shop>halved"


def test_a_scope_comes_before_what_is_registered() -> None:
    scale, _, _ = registered(fastrnn, ops)

    class Other(layers.Layer):
        def __init__(self, factor: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    config = layers.serialize(scale(3.0))
    assert type(layers.deserialize(config)) is scale
    with utils.custom_object_scope({"shop>Scale2": Other}):
        assert type(layers.deserialize(config)) is Other
    assert utils.get_registered_object("shop>Scale2", {"shop>Scale2": Other}) is Other
    assert utils.get_registered_object("nobody", module_objects={"nobody": Other}) is Other


def test_what_cannot_be_registered_is_refused() -> None:
    with pytest.raises(ValueError, match="must have a method `get_config`"):
        utils.register_keras_serializable()(type("Bare", (), {}))
    utils.register_keras_serializable("twice", "name")(registered)
    with pytest.raises(ValueError, match="'twice>name' is registered already"):
        utils.register_keras_serializable("twice", "name")(test_files_find_what_is_registered)
    assert utils.register_keras_serializable("twice", "name")(registered) is registered


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_registered_classes_go_both_ways_with_keras(keras: ModuleType, tmp_path: Path) -> None:
    for name, library, ops_of in (("ours", fastrnn, ops), ("theirs", keras, keras.ops)):
        _, scaled, halved = registered(library, ops_of)
        model = scaled(5)
        model.compile("sgd", halved)
        model.fit(X, np.zeros((6, 5), np.float32), verbose=0)
        model.save(tmp_path / f"{name}.keras")
    for name in ("ours", "theirs"):
        found = [
            np.asarray(library.models.load_model(tmp_path / f"{name}.keras").predict(X, verbose=0))
            for library in (fastrnn, keras)
        ]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-6)
