"""Names whose meaning changed between versions of Keras mean what the file's version meant."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import fastrnn
import h5py
import numpy as np
import pytest
from fastrnn import layers
from fastrnn.models import load_model, model_from_json

OLD = ("1.2.2", "2.0.8", "2.2.4", "2.2.4-tf", "2.15.0")
NEW = ("3.0.0", "3.15.1", "10.0", None)
X = 3 * np.random.default_rng(5).normal(size=(4, 6, 2)).astype(np.float32)


def models(name: str) -> dict[str, Any]:
    """Models in which an activation stands in every place where one can."""
    sequence = layers.Input((6, 2))
    return {
        "recurrent": [layers.LSTM(3, recurrent_activation=name)],
        "gates of a GRU": [layers.GRU(3, recurrent_activation=name)],
        "activation": [layers.SimpleRNN(3, activation=name)],
        "dense": [layers.Dense(3, activation=name)],
        "layer": [layers.Dense(3), layers.Activation(name)],
        "both": [layers.Bidirectional(layers.LSTM(3, recurrent_activation=name, activation=name))],
        "each": [layers.TimeDistributed(layers.Dense(3, activation=name))],
        "inner": [fastrnn.Sequential([layers.Input((6, 2)), layers.GRU(2, activation=name)])],
        "functional": fastrnn.Model(sequence, layers.Dense(3, activation=name)(sequence)),
    }


def model(place: str, name: str) -> fastrnn.Model:
    made = models(name)[place]
    if isinstance(made, list):
        made = fastrnn.Sequential([layers.Input((6, 2)), *made])
    rng = np.random.default_rng(7)
    made.set_weights([rng.normal(size=weight.shape) for weight in made.get_weights()])
    return made


def from_version(made: Any, version: str | None, form: str, folder: Path, edit: Any = None) -> Any:
    """Save a model, let the file be one of that version of Keras, and load it."""
    path = folder / f"model.{form}"
    if form == "json":
        config = json.loads(made.to_json())
        (edit or (lambda each: None))(config)
        config |= {} if version is None else {"keras_version": version}
        loaded = model_from_json(json.dumps(config))
        loaded.set_weights(made.get_weights())
        return loaded
    made.save(path)
    if form == "h5":
        with h5py.File(path, "r+") as file:
            del file.attrs["keras_version"]
            if version is not None:
                file.attrs["keras_version"] = version
            config = json.loads(file.attrs["model_config"])
            (edit or (lambda each: None))(config)
            file.attrs["model_config"] = json.dumps(config)
        return load_model(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    (edit or (lambda each: None))(config)
    members["config.json"] = json.dumps(config).encode()
    del members["metadata.json"]
    if version is not None:
        members["metadata.json"] = json.dumps({"keras_version": version}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return load_model(path)


@pytest.mark.parametrize("form", ["h5", "keras", "json"])
@pytest.mark.parametrize("place", models("tanh"))
def test_hard_sigmoid_is_that_of_the_version(place: str, form: str, tmp_path: Path) -> None:
    """`0.2 x + 0.5` before Keras 3, `x / 6 + 0.5` since."""
    saved = model(place, "hard_sigmoid")
    old, new = (model(place, name)(X) for name in ("hard_sigmoid_keras2", "hard_sigmoid"))
    assert np.abs(old - new).max() > 0.005
    for version in (*OLD, *NEW):
        loaded = from_version(saved, version, form, tmp_path)
        np.testing.assert_array_equal(loaded(X), old if version in OLD else new)
    again = from_version(from_version(saved, "2.2.4", form, tmp_path), "3.15.1", form, tmp_path)
    np.testing.assert_array_equal(again(X), old)


def test_hard_sigmoid_of_keras_2_by_its_equation() -> None:
    x = np.linspace(-4, 4, 81)
    np.testing.assert_allclose(
        fastrnn.activations.hard_sigmoid_keras2(x), np.clip(0.2 * x + 0.5, 0, 1), atol=1e-7
    )


@pytest.mark.parametrize("form", ["h5", "keras", "json"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_gru_that_does_not_know_reset_after(use_bias: bool, form: str, tmp_path: Path) -> None:
    def forget(config: Any) -> None:
        for each in config["config"]["layers"]:
            each["config"].pop("reset_after", None)

    made = {}
    for after in (False, True):
        gru = layers.GRU(3, reset_after=after, use_bias=use_bias)
        made[after] = fastrnn.Sequential([layers.Input((6, 2)), gru])
        rng = np.random.default_rng(8)
        made[after].set_weights([rng.normal(size=each.shape) for each in gru.get_weights()])
    for version in ("2.0.8", "2.1.2"):
        loaded = from_version(made[False], version, form, tmp_path, forget)
        np.testing.assert_array_equal(loaded(X), made[False](X))
    loaded = from_version(made[True], "3.15.1", form, tmp_path, forget)
    np.testing.assert_array_equal(loaded(X), made[True](X))
    loaded = from_version(made[True], "2.2.4", form, tmp_path)  # stated, so as stated
    np.testing.assert_array_equal(loaded(X), made[True](X))


def test_the_old_hard_sigmoid_goes_to_keras_and_back(keras: Any) -> None:
    ours = model("recurrent", "hard_sigmoid_keras2")
    theirs = fastrnn.to_keras(ours)
    np.testing.assert_allclose(theirs.predict(X, verbose=0), ours(X), rtol=2e-5, atol=2e-6)
    np.testing.assert_array_equal(fastrnn.from_keras(theirs)(X), ours(X))
