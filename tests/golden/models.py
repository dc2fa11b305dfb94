"""Models of the usual kinds: prediction, history of a fit, evaluation, and how weights move."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from golden import draws
from golden.answers import Arrays, moves, numbered, sequence
from golden.model_rows import CASES
from golden.objects import fastrnn_object, is_object, keras_object

__all__ = ["CASES", "LIMITS", "ask_fastrnn", "ask_keras", "draw_inputs"]

LIMITS = {"": 3e-5, "moved": 2e-4}
_FUNCTIONS = {"halved": lambda epoch, rate: rate / 2.0}


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    model = _model(keras, keras_object, row)
    given = numbered("weights", draws.weights_of(rng, model.weights))
    given["x"] = draws.draw(rng, row["x"]["kind"], (row["samples"], *row["x"]["shape"]))
    given["y"] = draws.draw(rng, row["y"]["kind"], (row["samples"], *row["y"]["shape"]))
    if row["weights"] is not None:
        given["sample_weight"] = draws.draw(rng, "weights", (row["samples"], *row["weights"]))
    return given


def _model(library: ModuleType, make: Callable[..., Any], row: dict[str, Any]) -> Any:
    model = library.Sequential([make(each) for each in row["layers"]])
    if not model.built:
        model.build((row["batch_size"], *row["x"]["shape"]))
    return model


def _trained(
    library: ModuleType, make: Callable[..., Any], row: dict[str, Any], given: Arrays
) -> Arrays:
    """What both libraries answer in the same words."""

    def made(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [made(each) for each in value]
        return make(value) if is_object(value) else value

    model = _model(library, make, row)
    start = sequence(given, "weights")
    model.set_weights(start)
    for index in row["frozen"]:
        model.layers[index].trainable = False
    compiled = {key: made(value) for key, value in row["compile"].items()}
    model.compile(run_eagerly=True, **compiled)
    fit = dict(row["fit"])
    if "class_weight" in fit:
        fit["class_weight"] = dict(enumerate(fit["class_weight"]))
    callbacks = importlib.import_module(f"{library.__name__}.callbacks")
    fit["callbacks"] = [
        getattr(callbacks, name)(**{key: _FUNCTIONS.get(v, v) for key, v in arguments.items()})
        for name, arguments in row["callbacks"]
    ]
    data, size = (given["x"], given["y"]), row["batch_size"]
    weight = given.get("sample_weight")
    answers = {"predicted": np.asarray(model.predict(given["x"], batch_size=size, verbose=0))}
    history = model.fit(
        *data, batch_size=size, sample_weight=weight, shuffle=False, verbose=0, **fit
    ).history
    answers |= {f"history/{key}": np.asarray(values) for key, values in history.items()}
    logs = model.evaluate(*data, batch_size=size, sample_weight=weight, verbose=0, return_dict=True)
    answers |= {f"evaluated/{key}": np.asarray(value) for key, value in logs.items()}
    on_batch = model.train_on_batch(data[0][:size], data[1][:size], return_dict=True)
    answers |= {f"on batch/{key}": np.asarray(value) for key, value in on_batch.items()}
    return answers | moves("moved", model.get_weights(), start)


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import keras

    return _trained(keras, keras_object, row, given)


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    import fastrnn

    return _trained(fastrnn, fastrnn_object, row, given)
