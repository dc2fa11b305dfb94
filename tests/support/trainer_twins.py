"""The same compiled model in Keras and in fastrnn, and the comparison of what they report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np

from support.keras_twins import randomized

Make = Callable[[Any], Sequence[Any]]
"""Makes layers; its argument is the module `keras` or `fastrnn`."""


def compiled_twins(
    keras: ModuleType,
    rng: np.random.Generator,
    make: Make,
    shape: Sequence[int | None],
    **arguments: Any,
) -> tuple[Any, Any]:
    """Keras's model and fastrnn's, built for inputs of a shape, with the same random weights.

    Keras runs eagerly, which takes less time than tracing for a few small steps. Arguments of
    `compile` that are functions are called with the module `keras` or `fastrnn`.
    """
    pair = []
    for library in (keras, fastrnn):
        model = library.Sequential(list(make(library)))
        model.build(tuple(shape))
        given = {
            key: value(library) if callable(value) else value for key, value in arguments.items()
        }
        # A large step, so that a wrong gradient shows in the weights.
        model.compile(library.optimizers.SGD(0.3), run_eagerly=True, **given)
        pair.append(model)
    randomized(rng, *pair)
    return pair[0], pair[1]


def assert_same_logs(got: dict[str, Any], wanted: dict[str, Any], rtol: float = 1e-4) -> None:
    """The same names in the same order, the same numbers."""
    assert list(got) == list(wanted)
    for key, values in wanted.items():
        np.testing.assert_allclose(got[key], values, rtol=rtol, atol=1e-6, err_msg=key)


def assert_same_fit(theirs: Any, ours: Any, *data: Any, **arguments: Any) -> Any:
    """Histories and weights agree after the same `fit`; returns fastrnn's history."""
    arguments = {"shuffle": False, "verbose": 0, **arguments}
    wanted, got = (model.fit(*data, **arguments) for model in (theirs, ours))
    assert_same_logs(got.history, wanted.history)
    assert got.epoch == wanted.epoch
    assert_same_weights(theirs, ours)
    return got


def assert_same_weights(theirs: Any, ours: Any) -> None:
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-5)
