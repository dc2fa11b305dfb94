"""Models as classes are those of Keras: weights, names, training, files in both directions."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import ops
from support import own_models
from support.own_models import DATA

# Keras writes its variables through an interface of NumPy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
OURS = own_models.classes(fastrnn, ops)
EACH = pytest.mark.parametrize("kind", sorted(DATA))


def pair(keras: ModuleType, kind: str, call: bool = True) -> tuple[Any, Any]:
    theirs, ours = own_models.classes(keras, keras.ops)[kind](), OURS[kind]()
    x, _ = DATA[kind]
    theirs(x)
    ours(x)
    own_models.spread(ours)
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def names(model: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Return paths of weights without the numbers of layers, and shapes."""
    return [(re.sub(r"_\d+", "", w.path), tuple(w.shape)) for w in model.weights]


def flat(values: Any) -> list[Any]:
    if isinstance(values, dict):
        return [values[name] for name in sorted(values)]
    return list(values) if isinstance(values, list | tuple) else [values]


@EACH
def test_weights_have_keras_s_order_and_names(keras: ModuleType, kind: str) -> None:
    ours, theirs = pair(keras, kind)
    assert names(ours) == names(theirs)
    for attribute in ("trainable_weights", "non_trainable_weights"):
        one, other = ([w.path for w in getattr(model, attribute)] for model in (ours, theirs))
        assert [re.sub(r"_\d+", "", path) for path in one] == [
            re.sub(r"_\d+", "", path) for path in other
        ]


@EACH
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_is_keras_s(keras: ModuleType, kind: str, optimizer: str) -> None:
    if kind == "Masked" and optimizer == "adam":
        pytest.skip("Keras on TensorFlow gives Adam a gradient of a table for each token")
    ours, theirs = pair(keras, kind)
    x, y = DATA[kind]
    histories, results = [], []
    for model in (ours, theirs):
        model.compile(optimizer, "mse")
        fit = model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
        histories.append(fit.history)
        results.append(model.evaluate(x, y, batch_size=8, verbose=0))
    if kind != "Listed":  # Keras names outputs in lists by numbers of tensors
        assert list(histories[0]) == list(histories[1])
    # Keras's losses of single outputs do not add up to its loss, with batches of unequal size.
    for name in histories[0] if kind in ("Masked", "Nested") else ["loss"]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-4)
    first = [np.ravel(result)[0] for result in results]
    np.testing.assert_allclose(first[0], first[1], rtol=1e-4)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-4)
    for one, other in zip(flat(ours.predict(x)), flat(theirs.predict(x)), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)


@EACH
def test_files_of_weights_go_both_ways(keras: ModuleType, kind: str, tmp_path: Path) -> None:
    ours, theirs = pair(keras, kind)
    x, y = DATA[kind]
    for model in (ours, theirs):
        model.compile("adam", "mse")
        model.fit(x, y, epochs=1, verbose=0)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    other = own_models.classes(keras, keras.ops)[kind]()
    other(x)
    other.load_weights(tmp_path / "ours.weights.h5")
    for one, wanted in zip(other.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(one, wanted)
    ours.load_weights(tmp_path / "theirs.weights.h5")
    for one, wanted in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, wanted)


@EACH
def test_archives_go_both_ways(keras: ModuleType, kind: str, tmp_path: Path) -> None:
    ours, theirs = pair(keras, kind)
    x, y = DATA[kind]
    for model in (ours, theirs):
        model.compile("adam", "mse")
        model.fit(x, y, epochs=1, batch_size=20, verbose=0)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    by_keras = keras.models.load_model(
        tmp_path / "ours.keras", custom_objects=own_models.classes(keras, keras.ops)
    )
    by_us = fastrnn.models.load_model(tmp_path / "theirs.keras", custom_objects=OURS)
    for loaded, model in ((by_keras, ours), (by_us, theirs)):
        for one, wanted in zip(loaded.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, wanted)
        found, want = flat(loaded.predict(x, verbose=0)), flat(model.predict(x, verbose=0))
        for one, wanted in zip(found, want, strict=True):
            np.testing.assert_allclose(one, wanted, rtol=1e-3, atol=1e-5)
