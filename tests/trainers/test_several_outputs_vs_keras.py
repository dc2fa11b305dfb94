"""Models of several inputs and outputs against Keras: histories, their order, data in any form."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest

RNG = np.random.default_rng(0)
PAST, TODAY = RNG.normal(size=(10, 4, 3)).astype("f4"), RNG.normal(size=(10, 2)).astype("f4")
TREND = RNG.normal(size=(10, 1)).astype("f4")
KIND = np.eye(3, dtype="f4")[RNG.integers(0, 3, 10)]
WEIGHTS = [RNG.random(10).astype("f4"), RNG.random(10).astype("f4")]
X, Y = [PAST, TODAY], [TREND, KIND]
X_DICT, Y_DICT = {"today": TODAY, "past": PAST}, {"trend": TREND, "kind": KIND}
LOSSES = ["mse", "categorical_crossentropy"]


def model_of(k: ModuleType, as_dict: bool = False) -> Any:
    past, today = k.Input((4, 3), name="past"), k.Input((2,), name="today")
    h = k.layers.GRU(3, name="gru")(past, initial_state=k.layers.Dense(3, name="start")(today))
    trend = k.layers.Dense(1, name="trend")(h)
    kind = k.layers.Dense(3, activation="softmax", name="kind")(h)
    if as_dict:
        return k.Model({"past": past, "today": today}, {"trend": trend, "kind": kind})
    return k.Model([past, today], [trend, kind])


def pair(keras: ModuleType, as_dict: bool, **compiled: Any) -> Iterator[Any]:
    rng = np.random.default_rng(1)
    weights: list[np.ndarray] = []
    for k in (keras, fastrnn):
        model = model_of(k, as_dict)
        weights = weights or [rng.normal(0, 0.5, w.shape).astype("f4") for w in model.get_weights()]
        model.set_weights(weights)
        model.compile(k.optimizers.SGD(0.1), **compiled)
        yield model


COMPILED: dict[str, dict[str, Any]] = {
    "losses in a list": {"loss": LOSSES},
    "one loss for all": {"loss": "mse"},
    "weights in a list": {"loss": LOSSES, "loss_weights": [0.25, 2.0]},
    "all in dicts": {
        "loss": {"kind": LOSSES[1], "trend": LOSSES[0]},
        "loss_weights": {"trend": 0.3, "kind": 1.5},
        "metrics": {"kind": ["accuracy", "mse"], "trend": "mae"},
        "weighted_metrics": {"kind": "mse"},
    },
    "metrics in lists": {"loss": LOSSES, "metrics": [["mae"], ["accuracy"]]},
    "one loss": {"loss": ["mse", None], "metrics": [None, ["accuracy"]]},
}


# Keras warns of the output without a loss. The batches are of one size: where the last one is
# smaller, Keras counts it as much as the others in the losses of outputs, though not in their sum.
@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("name", COMPILED)
def test_histories(keras: ModuleType, name: str) -> None:
    histories = []
    for model in pair(keras, False, **COMPILED[name]):
        fitted = model.fit(
            X,
            Y,
            sample_weight=WEIGHTS,
            epochs=3,
            batch_size=5,
            shuffle=False,
            verbose=0,
            validation_data=(X_DICT, Y_DICT),
        )
        values = model.evaluate(X, Y, batch_size=5, verbose=0)
        named = model.evaluate(X, Y, batch_size=5, verbose=0, return_dict=True)
        one = model.train_on_batch(X, Y, sample_weight=WEIGHTS, return_dict=True)
        histories.append((fitted.history, values, named, one))
    theirs, ours = histories
    assert list(ours[0]) == list(theirs[0])
    for key in theirs[0]:
        assert ours[0][key] == pytest.approx(theirs[0][key], rel=1e-4), key
    assert ours[1] == pytest.approx([float(value) for value in theirs[1]], rel=1e-4)
    for got, wanted in zip(ours[2:], theirs[2:], strict=True):
        assert list(got) == list(wanted)
        assert got == pytest.approx({k: float(v) for k, v in wanted.items()}, rel=1e-4)


@pytest.mark.parametrize("metrics", [None, {"kind": ["accuracy"]}])
def test_outputs_in_a_dict(keras: ModuleType, metrics: Any) -> None:
    losses = {"trend": "mse", "kind": "categorical_crossentropy"}
    theirs, ours = (
        model.fit(X_DICT, Y_DICT, epochs=2, batch_size=5, shuffle=False, verbose=0).history
        for model in pair(keras, True, loss=losses, metrics=metrics)
    )
    assert list(ours) == list(theirs)
    for key in theirs:
        assert ours[key] == pytest.approx(theirs[key], rel=1e-4), key


class Numbered(fastrnn.utils.PyDataset):
    """Batches by number."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        rows = slice(5 * index, 5 * index + 5)
        return {k: v[rows] for k, v in X_DICT.items()}, {k: v[rows] for k, v in Y_DICT.items()}


def batches() -> Iterator[Any]:
    while True:
        for start in (0, 5):
            rows = slice(start, start + 5)
            yield [each[rows] for each in X], tuple(each[rows] for each in Y)


@pytest.mark.parametrize(
    ("x", "y", "more"),
    [
        (X, Y, {}),
        (tuple(X), tuple(Y), {}),
        (X_DICT, Y_DICT, {}),
        (X_DICT, Y, {}),
        (X, Y_DICT, {}),
        ([each.tolist() for each in X], [each.tolist() for each in Y], {}),
        (batches, None, {"steps_per_epoch": 2}),
        (Numbered, None, {}),
    ],
)
def test_data_in_any_form_give_the_same_bits(x: Any, y: Any, more: dict[str, Any]) -> None:
    def trained(x: Any, y: Any, **more: Any) -> list[np.ndarray]:
        fastrnn.utils.set_random_seed(0)
        model = model_of(fastrnn)
        model.compile("adam", LOSSES)
        size = (
            {}
            if more or not hasattr(x, "__len__") or isinstance(x, Numbered)
            else {"batch_size": 5}
        )
        model.fit(x() if callable(x) else x, y, epochs=2, shuffle=False, verbose=0, **size, **more)
        return model.get_weights()

    wanted = trained(X, Y)
    if callable(x):
        x = x()
    for got, one in zip(trained(x, y, **more), wanted, strict=True):
        np.testing.assert_array_equal(got, one)


def test_predictions_have_the_structure_of_the_outputs() -> None:
    as_list, as_dict = model_of(fastrnn), model_of(fastrnn, True)
    for layer in as_list.layers:
        as_dict.get_layer(layer.name).set_weights(layer.get_weights())
    trend, kind = as_list.predict(X, verbose=0, batch_size=3)
    found = as_dict.predict(X_DICT, verbose=0)
    assert list(found) == ["trend", "kind"]
    np.testing.assert_array_equal(found["trend"], trend)
    np.testing.assert_array_equal(found["kind"], kind)
    again = as_list.predict((each for each in [(tuple(X),), (tuple(X),)]), verbose=0)
    np.testing.assert_array_equal(again[1], np.concatenate([kind, kind]))
    np.testing.assert_array_equal(as_list.predict_on_batch(X)[0], trend)


def test_a_list_with_a_single_array_is_that_array() -> None:
    x = fastrnn.Input((4, 3))
    for model in (
        fastrnn.Model(x, fastrnn.layers.GRU(2)(x)),
        fastrnn.Model([x], [fastrnn.layers.GRU(2)(x)]),
    ):
        wanted = model.predict(PAST, verbose=0)
        np.testing.assert_array_equal(model.predict([PAST], verbose=0), wanted)
        model.compile("sgd", ["mse"], metrics=[["mae"]])
        history = model.fit([PAST], [np.zeros((10, 2))], verbose=0).history
        assert list(history) == ["loss", "mae"] or list(history) == ["mae", "loss"]


def test_masks_of_outputs_are_those_of_their_layers(keras: ModuleType) -> None:
    tokens = np.array([[0, 0, 1, 2], [3, 1, 2, 1]])
    labels = [RNG.normal(size=(2, 4, 2)).astype("f4"), RNG.normal(size=(2, 1)).astype("f4")]
    found = []
    weights: list[np.ndarray] = []
    for k in (keras, fastrnn):
        x = k.Input((4,), dtype="int32")
        h = k.layers.GRU(3, return_sequences=True)(k.layers.Embedding(4, 3, mask_zero=True)(x))
        last = k.layers.Dense(1, name="one")(k.layers.LSTM(2)(h))
        model = k.Model(x, [k.layers.Dense(2, name="tags")(h), last])
        weights = weights or [RNG.normal(size=w.shape).astype("f4") for w in model.get_weights()]
        model.set_weights(weights)
        model.compile("sgd", "mse", metrics={"tags": "mae"})
        found.append(model.evaluate(tokens, labels, verbose=0, return_dict=True))
    assert found[1] == pytest.approx({k: float(v) for k, v in found[0].items()}, rel=1e-5)


def test_the_optimizer_has_slots_for_weights_that_no_loss_reaches() -> None:
    model = model_of(fastrnn)
    model.compile(fastrnn.optimizers.Adam(0.1), ["mse", None])
    before = model.get_layer("kind").get_weights()
    model.fit(X, [TREND], verbose=0)
    assert len(model.optimizer.variables) == 2 + 2 * len(model.weights)
    for old, new in zip(before, model.get_layer("kind").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.compile(model.optimizer, LOSSES)
    model.fit(X, Y, verbose=0)
    assert np.abs(model.get_layer("kind").get_weights()[0] - before[0]).max() > 0.01
