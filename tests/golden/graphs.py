"""Whole graphs: outputs, the gradient of each weight, and the losses of 20 training steps."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from support import graphs

from golden import draws
from golden.answers import Arrays, moves, numbered, sequence

STEPS = 20
CASES: dict[str, Any] = {name: {"graph": name} for name in graphs.KINDS}
# Differences of rounding grow with the steps.
LIMITS = {"": 3e-5, "gradient": 2e-4, "losses": 3e-4, "trained": 3e-3}


def draw_inputs(keras: Any, row: dict[str, Any], rng: np.random.Generator) -> Arrays:
    model = graphs.KINDS[row["graph"]](keras)
    return {
        **numbered("weights", draws.weights_of(rng, model.weights)),
        **numbered("x", graphs.inputs_of(model, rng)),
        **numbered("y", graphs.labels_of(row["graph"], model, rng)),
    }


def _answers(library: ModuleType, row: dict[str, Any], given: Arrays) -> Arrays:
    """What both libraries answer in the same words."""
    library.utils.clear_session()  # logs stand in the order of names, which are numbered
    model = graphs.KINDS[row["graph"]](library)
    start = sequence(given, "weights")
    x = graphs.in_structure(sequence(given, "x"), model.input)
    y = graphs.in_structure(sequence(given, "y"), model.output)
    model.set_weights(start)
    answers = numbered("output", graphs.flat(model.predict(x, verbose=0)))
    # A step of rate 1 takes exactly the gradient off.
    graphs.compile_graph(row["graph"], model, library.optimizers.SGD(learning_rate=1.0))
    model.train_on_batch(x, y)
    answers |= moves("gradient", start, model.get_weights())
    model.set_weights(start)
    optimizer = library.optimizers.SGD(learning_rate=0.1, momentum=0.8)
    graphs.compile_graph(row["graph"], model, optimizer)
    logs = [model.train_on_batch(x, y, return_dict=True) for _ in range(STEPS)]
    answers["losses"] = np.array([[float(value) for value in log.values()] for log in logs])
    return answers | numbered("trained", graphs.flat(model.predict(x, verbose=0)))


def ask_keras(row: dict[str, Any], given: Arrays) -> Arrays:
    import keras

    return _answers(keras, row, given)


def ask_fastrnn(row: dict[str, Any], given: Arrays) -> Arrays:
    import fastrnn

    return _answers(fastrnn, row, given)
