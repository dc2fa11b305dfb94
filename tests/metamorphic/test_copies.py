"""A model that was saved and loaded, cloned or pickled is the same model."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    rng = np.random.default_rng(11)
    model = models.Sequential([fastrnn_object(each) for each in row["layers"]])
    size = row["batch_size"]
    if not model.built:
        model.build((size, *row["x"]["shape"]))
    model.set_weights(weights_of(rng, model.weights))
    for index in row["frozen"]:
        model.layers[index].trainable = False
    x = draw(rng, row["x"]["kind"], (size, *row["x"]["shape"]))
    copies = {kind: make(model, tmp_path) for kind, make in COPIES.items()}
    wanted = model.predict(x, batch_size=size, verbose=0)
    for kind, made in copies.items():
        got = made.predict(x, batch_size=size, verbose=0)
        np.testing.assert_array_equal(got, wanted, err_msg=kind)
        trained = [len(each.trainable_weights) for each in (made, model)]
        assert trained[0] == trained[1], kind


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
