"""Files of each layer that stands between recurrent ones, from fastrnn to live Keras and back."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastrnn
import numpy as np
import pytest

X = np.random.default_rng(3).normal(size=(4, 8, 4)).astype(np.float32)
MADE: dict[str, Callable[[Any], Any]] = {
    "AveragePooling1D": lambda lib: lib.AveragePooling1D(3, 2, padding="same"),
    "BatchNormalization": lambda lib: lib.BatchNormalization(momentum=0.7, epsilon=0.2),
    "Conv1D": lambda lib: lib.Conv1D(
        6, 3, padding="causal", dilation_rate=2, groups=2, activation="relu"
    ),
    "Cropping1D": lambda lib: lib.Cropping1D((2, 1)),
    "Identity": lambda lib: lib.Identity(),
    "MaxPooling1D": lambda lib: lib.MaxPooling1D(2, padding="same"),
    "TimeDistributed": lambda lib: lib.TimeDistributed(lib.BatchNormalization()),
    "UpSampling1D": lambda lib: lib.UpSampling1D(3),
    "ZeroPadding1D": lambda lib: lib.ZeroPadding1D((2, 1)),
}


@pytest.fixture(autouse=True)
def quiet(keras: Any):
    """Keras warns about its own format `.h5`."""
    logging.getLogger("absl").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def model_of(library: Any, name: str, rng: np.random.Generator) -> Any:
    layers = library.layers
    model = library.Sequential(
        [layers.Input(X.shape[1:]), MADE[name](layers), layers.GRU(3), layers.Dense(2)]
    )
    model.set_weights(
        [
            np.abs(value) if "variance" in weight.name else value
            for weight in model.weights
            for value in [rng.normal(0, 0.5, tuple(weight.shape)).astype(np.float32)]
        ]
    )
    return model


def predicted(model: Any) -> np.ndarray:
    return np.asarray(model.predict(X, verbose=0))


@pytest.mark.parametrize("name", MADE)
def test_files_go_both_ways(keras: Any, rng: Any, tmp_path: Path, name: str) -> None:
    for source, target in ((fastrnn, keras), (keras, fastrnn)):
        model = model_of(source, name, rng)
        wanted = predicted(model)
        for end in (".keras", ".h5"):
            model.save(tmp_path / f"model{end}")
            loaded = target.models.load_model(tmp_path / f"model{end}")
            np.testing.assert_allclose(predicted(loaded), wanted, rtol=2e-5, atol=2e-6)
            assert [w.path for w in loaded.weights] == [w.path for w in model.weights]
        model.save_weights(tmp_path / "model.weights.h5")
        other = model_of(target, name, rng)
        other.load_weights(tmp_path / "model.weights.h5")
        np.testing.assert_allclose(predicted(other), wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", MADE)
def test_configs_go_both_ways(keras: Any, name: str) -> None:
    ours, theirs = MADE[name](fastrnn.layers), MADE[name](keras.layers)
    for layer, cls in ((ours, type(theirs)), (theirs, type(ours))):
        again = cls.from_config(layer.get_config())
        assert again.name == layer.name
        assert cls.from_config(again.get_config()).get_config() == again.get_config()
    assert ours.get_config().keys() == theirs.get_config().keys()
