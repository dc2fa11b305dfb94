"""Weights of samples, steps, classes and losses: what they do to loss, gradients and metrics."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import fastrnn
import numpy as np
import pytest
from support.trainer_twins import assert_same_fit, assert_same_logs, compiled_twins

SAMPLES, STEPS, FEATURES, CLASSES = 7, 3, 2, 3
ARGUMENTS: dict[str, Any] = {"epochs": 2, "batch_size": 4}  # the last batch is smaller
METRICS = {"metrics": ["accuracy", "mse"], "weighted_metrics": ["accuracy", "mse"]}


def one_output(library: Any, activation: str = "sigmoid", units: int = 1) -> list[Any]:
    lib = library.layers
    return [lib.Flatten(), lib.Dense(units, activation=activation)]


def every_step(library: Any) -> list[Any]:
    lib = library.layers
    return [lib.Dense(4, activation="tanh"), lib.Dense(2)]


def masked_steps(library: Any) -> list[Any]:
    return [library.layers.Embedding(9, 3, mask_zero=True), *every_step(library)]


def inputs(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(SAMPLES, STEPS, FEATURES)).astype("float32")


def tokens(rng: np.random.Generator) -> np.ndarray:
    x = rng.integers(0, 9, (SAMPLES, STEPS))
    x[:, -1] = 5
    x[0, 0] = x[1, 1] = 0
    return x


def test_sample_weights(keras: ModuleType, rng: np.random.Generator) -> None:
    x, y, weight = inputs(rng), rng.integers(0, 2, SAMPLES), rng.uniform(0.2, 3, SAMPLES)
    weight[3] = 0.0
    theirs, ours = compiled_twins(
        keras, rng, one_output, x.shape, loss="binary_crossentropy", loss_weights=[0.3], **METRICS
    )
    for model in (theirs, ours):
        assert model.evaluate(x, y, verbose=0)[0] != pytest.approx(
            model.evaluate(x, y, sample_weight=weight, verbose=0)[0], rel=0.01
        )
    arguments = {"verbose": 0, "batch_size": 4, "return_dict": True, "sample_weight": weight}
    assert_same_logs(ours.evaluate(x, y, **arguments), theirs.evaluate(x, y, **arguments))
    got = assert_same_fit(theirs, ours, x, y, sample_weight=weight, **ARGUMENTS)
    assert list(got.history) == [
        "accuracy", "loss", "mse", "weighted_accuracy", "weighted_mse"
    ]  # fmt: skip
    assert got.history["mse"] != got.history["weighted_mse"]
    assert_same_fit(
        theirs, ours, x, y, sample_weight=weight[:, None], validation_split=0.3, **ARGUMENTS
    )
    beside = (x[:5], y[:5], weight[:5])
    assert_same_fit(theirs, ours, x, y, validation_data=beside, **ARGUMENTS)
    for method in ("train_on_batch", "test_on_batch"):
        left, right = (
            getattr(model, method)(x, y, sample_weight=weight, return_dict=True)
            for model in (ours, theirs)
        )
        assert_same_logs(left, right)


@pytest.mark.parametrize("labels", ["ids", "column of ids", "one-hot"])
def test_class_weights(keras: ModuleType, rng: np.random.Generator, labels: str) -> None:
    x, y = inputs(rng), rng.integers(0, CLASSES, SAMPLES)
    loss = "sparse_categorical_crossentropy"
    if labels == "one-hot":
        y, loss = np.eye(CLASSES, dtype="f")[y], "categorical_crossentropy"
    elif labels == "column of ids":
        y = y[:, None]
    theirs, ours = compiled_twins(
        keras,
        rng,
        lambda library: one_output(library, "softmax", CLASSES),
        x.shape,
        loss=loss,
        metrics=["accuracy"],
        weighted_metrics=["accuracy"],
    )
    weights = {0.0: 0.5, 2: 4.0} if labels == "column of ids" else {0: 0.5, 2: 4.0}
    got = assert_same_fit(
        theirs, ours, x, y, class_weight=weights, validation_split=0.3, **ARGUMENTS
    )
    assert got.history["accuracy"] != got.history["weighted_accuracy"]
    assert got.history["val_accuracy"] == got.history["val_weighted_accuracy"], "not in the tests"
    left, right = (
        model.train_on_batch(x, y, class_weight=weights, return_dict=True)
        for model in (ours, theirs)
    )
    assert_same_logs(left, right)


@pytest.mark.parametrize("shape", [(SAMPLES, STEPS), (SAMPLES, 1), (SAMPLES, STEPS, 1)])
@pytest.mark.parametrize("masked", [False, True])
def test_weights_of_steps(
    keras: ModuleType, rng: np.random.Generator, masked: bool, shape: tuple[int, ...]
) -> None:
    x, make = (tokens(rng), masked_steps) if masked else (inputs(rng), every_step)
    y = rng.normal(size=(SAMPLES, STEPS, 2))
    weight = rng.uniform(0.2, 3, shape)
    theirs, ours = compiled_twins(
        keras, rng, make, x.shape, loss="mse", metrics=["mae"], weighted_metrics=["mae"]
    )
    # With masks Keras fails to multiply a third dimension.
    theirs_weight = weight[..., 0] if masked and len(shape) == 3 else weight
    arguments = {"shuffle": False, "verbose": 0, **ARGUMENTS}
    wanted = theirs.fit(x, y, sample_weight=theirs_weight, **arguments)
    got = ours.fit(x, y, sample_weight=weight, **arguments)
    assert_same_logs(got.history, wanted.history)
    assert got.history["mae"] != got.history["weighted_mae"]


def test_the_weight_of_a_sample_is_that_of_its_steps(rng: np.random.Generator) -> None:
    """Keras 3 multiplies along the wrong dimension, or fails; TF's Keras 2 did this."""
    histories = []
    y, weight = rng.normal(size=(STEPS, STEPS, 2)), rng.uniform(0.2, 3, STEPS)
    x = rng.normal(size=(STEPS, STEPS, FEATURES))
    for given in (weight, np.repeat(weight[:, None], STEPS, axis=1)):
        fastrnn.random.set_random_seed(3)
        model = fastrnn.Sequential(every_step(fastrnn))
        model.compile("sgd", "mse", weighted_metrics=["mae"])
        histories.append(model.fit(x, y, sample_weight=given, epochs=2, verbose=0).history)
    for key, values in histories[1].items():
        np.testing.assert_allclose(histories[0][key], values, rtol=1e-6)


def test_classes_of_steps_have_weights(rng: np.random.Generator) -> None:
    """As Keras does it for a `tf.data.Dataset`; for arrays it fails."""
    x, y = inputs(rng), rng.integers(0, 2, (SAMPLES, STEPS))
    losses = []
    for arguments in ({"class_weight": {1: 3.0}}, {"sample_weight": np.where(y == 1, 3.0, 1.0)}):
        fastrnn.random.set_random_seed(3)
        model = fastrnn.Sequential(every_step(fastrnn))
        model.compile("sgd", fastrnn.losses.SparseCategoricalCrossentropy(from_logits=True))
        losses.append(model.fit(x, y, verbose=0, shuffle=False, **arguments).history["loss"])
    assert losses[0] == losses[1]


def test_weights_stay_with_their_samples_when_shuffled() -> None:
    """Only the samples that a perfect model knows have a weight."""
    x = np.arange(50.0)[:, None]
    y, weight = np.where(x < 25, x, -x), (x[:, 0] < 25) * 1.0
    model = fastrnn.Sequential([fastrnn.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    for shuffle in (True, "batch", False):
        history = model.fit(x, y, 7, sample_weight=weight, shuffle=shuffle, verbose=0).history
        assert history["loss"] == [0.0]
        history = model.fit(x, y, 7, sample_weight=1 - weight, shuffle=shuffle, verbose=0).history
        assert history["loss"][0] > 100


BAD: list[tuple[dict[str, Any], str]] = [
    ({"sample_weight": np.ones(3)}, r"\(7,\).*Received: sample_weight.shape=\(3,\)"),
    ({"sample_weight": np.ones((7, 2))}, r"\(7,\).*Received: sample_weight.shape=\(7, 2\)"),
    ({"sample_weight": 2.0}, "`sample_weight` must have shape"),
    ({"sample_weight": np.full(7, np.nan)}, "finite"),
    ({"class_weight": [1.0, 2.0]}, r"dict from class ids.*Received: class_weight=\[1.0, 2.0\]"),
    ({"class_weight": {"1": 2.0}}, "dict from class ids"),
    ({"class_weight": {1: "a"}}, "dict from class ids"),
    ({"class_weight": {0.5: 2.0}}, "dict from class ids"),
    ({"class_weight": {1: 2.0}, "sample_weight": np.ones(7)}, "must not be given together"),
]


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        (method, *case)
        for method in ("fit", "train_on_batch", "evaluate")
        for case in BAD
        if method != "evaluate" or "class_weight" not in case[0]
    ],
)
def test_bad_weights(
    rng: np.random.Generator, method: str, arguments: dict[str, Any], message: str
) -> None:
    model = fastrnn.Sequential(one_output(fastrnn))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(inputs(rng), np.ones(SAMPLES), **arguments)
    assert not model.built
