"""Policies of dtypes as Keras has them: names, configs, files, and nearly its results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import dtype_policies

MIXED = "mixed_bfloat16"
X = np.random.default_rng(5).standard_normal((7, 6, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def float32_again(keras: ModuleType) -> Iterator[None]:
    yield
    for module in (keras, fastrnn):
        module.config.set_dtype_policy("float32")


def model_of(module: Any) -> Any:
    layers = module.layers
    return module.Sequential(
        [
            layers.Input((6, 3)),
            layers.Bidirectional(layers.LSTM(5, return_sequences=True), name="both"),
            layers.RNN([layers.GRUCell(4), layers.SimpleRNNCell(3, dtype="float32")], name="rnn"),
            layers.Dense(2, dtype="float32", name="dense"),
        ],
        name="model",
    )


def policies(entry: Any) -> list[tuple[str, str]]:
    """Return the layers in a config, and the name of the policy of each."""
    if isinstance(entry, (list, tuple)):
        return [found for each in entry for found in policies(each)]
    if not isinstance(entry, dict):
        return []
    own = [(entry["name"], dtype_policies.get(entry["dtype"]).name)] if "dtype" in entry else []
    return own + [found for each in entry.values() for found in policies(each)]


def test_the_same_layers_have_the_same_policies(keras: ModuleType) -> None:
    for module in (keras, fastrnn):
        module.backend.clear_session()
        module.config.set_dtype_policy(MIXED)
    theirs, ours = model_of(keras).get_config(), model_of(fastrnn).get_config()
    found = policies(ours)
    # Initializers have no dtype in configs of fastrnn; numbers of layers inside wrappers differ.
    assert [policy for _, policy in found] == [policy for _, policy in policies(theirs)]
    assert ("both", MIXED) in found
    assert ("dense", "float32") in found


def test_a_policy_is_the_same_plain_values(keras: ModuleType) -> None:
    theirs, ours = keras.DTypePolicy(MIXED), fastrnn.DTypePolicy(MIXED)
    assert dtype_policies.serialize(ours) == keras.dtype_policies.serialize(theirs)
    for name in ("compute_dtype", "variable_dtype", "name", "quantization_mode"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert repr(ours) == repr(theirs)
    assert dtype_policies.get(keras.dtype_policies.serialize(theirs)) == ours
    assert keras.dtype_policies.get(dtype_policies.serialize(ours)) == theirs


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_files_keep_the_policy_on_either_way(
    keras: ModuleType, suffix: str, tmp_path: Path
) -> None:
    """The results are near each other: Keras rounds states, gates and outputs too."""
    for module in (keras, fastrnn):
        module.config.set_dtype_policy(MIXED)
    theirs, path = model_of(keras), tmp_path / f"theirs{suffix}"
    theirs.save(path)
    ours = fastrnn.saving.load_model(path)
    assert ours.layers[0].forward_layer.cell.compute_dtype == "bfloat16"
    assert ours.layers[1].cell.cells[1].compute_dtype == "float32"
    expected = np.asarray(theirs(X)).astype(np.float32)
    np.testing.assert_allclose(ours.predict(X), expected, atol=0.03)
    back = tmp_path / f"ours{suffix}"
    ours.save(back)
    loaded = keras.saving.load_model(back)
    assert loaded.get_layer("both").forward_layer.dtype_policy.name == MIXED
    assert loaded.get_layer("dense").dtype_policy.name == "float32"
    np.testing.assert_array_equal(np.asarray(loaded(X)).astype(np.float32), expected)
