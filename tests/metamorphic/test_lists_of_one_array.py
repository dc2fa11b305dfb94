"""A list with a single array is that array, wherever data are given; so is a dict by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import fastrnn
import numpy as np
import pytest
from fastrnn import layers, models

RNG = np.random.default_rng(4)
SEQUENCES = RNG.normal(size=(6, 5, 3)).astype(np.float32)
ROWS = RNG.normal(size=(6, 4)).astype(np.float32)
TOKENS = RNG.integers(0, 9, (6, 5))


def stack(*first: Any) -> Callable[[], Any]:
    return lambda: models.Sequential([*(make() for make in first), layers.Dense(2)])


def graph(inputs: Any) -> models.Model:
    x = layers.Input((5, 3), name="in")
    return models.Model([x] if inputs == "list" else x, layers.Dense(2)(layers.GRU(2)(x)))


MODELS: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "recurrent": (stack(lambda: layers.GRU(2)), SEQUENCES),
    "both ways": (stack(lambda: layers.Bidirectional(layers.GRU(2))), SEQUENCES),
    "tokens": (stack(lambda: layers.Embedding(9, 2), lambda: layers.GRU(2)), TOKENS),
    "tokens, built": (
        stack(lambda: layers.Embedding(9, 2, input_length=5), lambda: layers.GRU(2)),
        TOKENS,
    ),
    "model in front": (
        stack(lambda: models.Sequential([layers.Embedding(9, 2)]), lambda: layers.GRU(2)),
        TOKENS,
    ),
    "dense": (stack(lambda: layers.Dense(3)), ROWS),
    "dense, built": (stack(lambda: layers.Input((4,)), lambda: layers.Dense(3)), ROWS),
    "dense over steps": (stack(lambda: layers.Dense(3)), SEQUENCES),
    "dropout": (stack(lambda: layers.Dropout(0.0)), ROWS),
    "normalization": (stack(lambda: layers.LayerNormalization()), ROWS),
    "activation": (stack(lambda: layers.Activation("tanh")), ROWS),
    "each step": (stack(lambda: layers.TimeDistributed(layers.Dense(2))), SEQUENCES),
    "flatten": (stack(layers.Flatten), SEQUENCES),
    "graph": (lambda: graph("tensor"), SEQUENCES),
    "graph of a list": (lambda: graph("list"), SEQUENCES),
}
FORMS: dict[str, Callable[[Any], Any]] = {"list": lambda x: [x], "tuple": lambda x: (x,)}


class Batches(fastrnn.utils.PyDataset):
    def __init__(self, *batch: Any) -> None:
        super().__init__()
        self.batch = batch

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        return self.batch


def generated(*batch: Any) -> Iterator[Any]:
    while True:
        yield batch


# What a tuple does does not depend on the model.
WAYS = [*((name, "list") for name in MODELS), ("recurrent", "tuple"), ("graph of a list", "tuple")]


@pytest.mark.parametrize(("name", "form"), WAYS)
def test_every_way_in(name: str, form: str) -> None:
    make, x = MODELS[name]
    wrapped = FORMS[form]
    y = RNG.normal(size=(*np.shape(make().predict(x, verbose=0))[:-1], 2)).astype(np.float32)
    weights = RNG.random(len(x)).astype(np.float32)

    def results(x: Any, y: Any, weights: Any, built: bool) -> list[Any]:
        def fresh() -> Any:
            fastrnn.utils.set_random_seed(3)
            model = make()
            model.compile("sgd", "mse")
            if built and not model.built:
                model.build((None, *MODELS[name][1].shape[1:]))
            return model

        steps = {"steps_per_epoch": 2, "verbose": 0, "shuffle": False}
        return [
            fresh().predict(x, verbose=0),
            fresh()(x),
            fresh().predict_on_batch(x),
            fresh().predict(Batches(x, y), verbose=0),
            fresh().evaluate(x, y, verbose=0),
            fresh().evaluate(x, y, sample_weight=weights, verbose=0),
            fresh().train_on_batch(x, y, sample_weight=weights),
            fresh().test_on_batch(x, y),
            fresh().fit(x, y, validation_split=0.5, verbose=0, shuffle=False).history,
            fresh().fit(x, y, validation_data=(x, y, weights), verbose=0, shuffle=False).history,
            fresh().fit(generated(x, y, weights), **steps).history,
            fresh().fit(Batches(x, y), verbose=0).history,
        ]

    for built in (False, True):
        wanted = results(x, y, weights, built)
        got = results(wrapped(x), wrapped(y), wrapped(weights), built)
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_equal(a, b)


def test_a_sample_alone_is_a_batch_of_one() -> None:
    for name in ("recurrent", "tokens", "dense, built"):
        make, x = MODELS[name]
        model = make()
        wanted = model.predict(x[:1], verbose=0)
        np.testing.assert_array_equal(model.predict([x[0]], verbose=0), wanted)
        np.testing.assert_array_equal(model.predict([x[0].tolist()], verbose=0), wanted)


def test_a_dict_by_the_name_of_the_input() -> None:
    model = models.Sequential([layers.Input((5, 3), name="in"), layers.GRU(2)])
    model.compile("sgd", "mse")
    y = np.zeros((6, 2))
    wanted = model.predict(SEQUENCES, verbose=0)
    np.testing.assert_array_equal(model.predict({"in": SEQUENCES}, verbose=0), wanted)
    assert model.evaluate({"in": SEQUENCES}, y, verbose=0) == model.evaluate(
        SEQUENCES, y, verbose=0
    )
    with pytest.raises(ValueError, match=r"`x` must have the key 'in'.*\['other'\]"):
        model.predict({"other": SEQUENCES}, verbose=0)
    with pytest.raises(ValueError, match="`x` may be a dict only where"):
        models.Sequential([layers.GRU(2)]).predict({"in": SEQUENCES}, verbose=0)
