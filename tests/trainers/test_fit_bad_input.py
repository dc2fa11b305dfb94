"""Bad data and arguments of `compile`, `fit`, `evaluate`, `predict`: refused, nothing changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastrnn import layers
from fastrnn.models import Sequential

X = np.linspace(0, 1, 60, dtype="float32").reshape(5, 4, 3)
Y = np.array([0, 1, 0, 1, 1])


def compiled(build: bool = True, loss: str = "binary_crossentropy", units: int = 1) -> Sequential:
    activation = "sigmoid" if units == 1 else "softmax"
    model = Sequential([layers.LSTM(4), layers.Dense(units, activation=activation)])
    model.compile("adam", loss, metrics=["accuracy"])
    if build:
        model.build(X.shape)
    return model


def with_value(array: np.ndarray, value: float) -> np.ndarray:
    array = array.astype("float64")
    array.flat[-1] = value
    return array


BAD_DATA: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "no samples": (X[:0], Y[:0], ValueError, "at least one sample"),
    "lengths": (X, Y[:4], ValueError, r"same number of samples.*5 in x, y of shape \(4,\)"),
    "no labels": (X, None, ValueError, "`y` must be an array of labels. Received: y=None"),
    "no inputs": (None, Y, TypeError, "Received: x=None"),
    "scalar labels": (X, 1, ValueError, "same number of samples"),
    "NaN label": (X, with_value(Y, np.nan), ValueError, "finite.*nan"),
    "infinite label": (X, with_value(Y, np.inf), ValueError, "finite.*inf"),
    "text labels": (X, list("abcde"), TypeError, "real numbers"),
    "rank of x": (X[0], Y[:4], ValueError, r"three dimensions.*\(4, 3\)"),
    "rank of y": (X, np.ones((5, 1, 1, 1)), ValueError, r"same shape.*\(5, 1, 1, 1\)"),
    "width of y": (X, np.ones((5, 2)), ValueError, r"same shape.*\(5, 2\)"),
    "features": (X[..., :2], Y, ValueError, "must have 3 features"),
    "no steps": (X[:, :0], Y, ValueError, "at least one step"),
    "text": ([[["a"]]] * 5, Y, TypeError, "real numbers"),
    "ragged vectors": (
        [[[1.0, 2.0, 3.0], [2.0, 1.0, 3.0]], [[1.0]]],
        Y[:2],
        ValueError,
        r"shape \(3,\) of the first.*Received: shape=\(1,\) in the sequence at position 1",
    ),
    "features of ragged": ([[[1.0], [2.0]], [[1.0]]], Y[:2], ValueError, "must have 3 features"),
    "lists of numbers": (
        np.array([[1], [1, 2]], dtype=object),
        Y[:2],
        ValueError,
        "begins with an Embedding.*pad_sequences|three dimensions",
    ),
    "ragged text": ([["a"], ["b", "c"]], Y[:2], TypeError, "real numbers"),
    "empty sequences": (np.array([[], []], dtype=object), Y[:2], ValueError, "array"),
    "a dict": ({"a": X}, Y, ValueError, "must have the key|may be a dict only where"),
}


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize(("x", "y", "error", "message"), BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data(method: str, x: Any, y: Any, error: type[Exception], message: str) -> None:
    model = compiled()
    before = model.get_weights()
    with pytest.raises(error, match=message):
        getattr(model, method)(x, y)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.optimizer.iterations == 0
    assert not model.optimizer.built
    assert not hasattr(model, "history")


def test_bad_data_does_not_build_a_model() -> None:
    model = compiled(build=False)
    with pytest.raises(ValueError, match="finite"):
        model.fit(X, with_value(Y, np.nan))
    assert not model.built
    assert not model.layers[0].built


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0, 1, 2, 3, 0], r"\[0, 3\).*Received: 3"), ([0, -1, 0, 0, 0], "-1"), ([0.5] * 5, "0.5")],
)
def test_labels_that_are_no_classes(labels: Any, message: str) -> None:
    model = compiled(loss="sparse_categorical_crossentropy", units=3)
    with pytest.raises(ValueError, match=message):
        model.fit(X, labels)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[1, 9]], "id 9"),
        ([[1, -3]], "id -3"),
        ([[1, 0.25]], "0.25"),
        ([[1, np.nan]], "nan"),
    ],
)
def test_tokens(tokens: Any, message: str) -> None:
    model = Sequential([layers.Embedding(9, 2), layers.GRU(2), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=message):
        model.fit(tokens, [1.0])
    with pytest.raises(ValueError, match=message):
        model.predict(tokens)
    with pytest.raises(ValueError, match=message):
        model.fit([[1, 2]], [1.0], validation_data=(tokens, [1.0]))
    assert not model.built


BAD_ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"batch_size": 0}, ValueError, "`batch_size` must be a positive integer"),
    ({"batch_size": 2.5}, ValueError, "`batch_size` must be a positive integer"),
    ({"epochs": -1}, ValueError, "`epochs` must be an integer >= 0"),
    ({"epochs": 1.5}, ValueError, "`epochs`"),
    ({"initial_epoch": -1}, ValueError, "`initial_epoch`"),
    ({"verbose": 3}, ValueError, "`verbose` must be 0, 1, 2 or 'auto'"),
    ({"validation_split": 1.0}, ValueError, "must leave samples for training"),
    ({"validation_split": 1.5}, ValueError, "between 0 and 1"),
    ({"validation_split": -0.5}, ValueError, "between 0 and 1"),
    ({"validation_split": "a"}, ValueError, "between 0 and 1"),
    ({"validation_data": (X,)}, ValueError, r"tuple \(x, y\)"),
    ({"validation_data": X}, ValueError, r"tuple \(x, y\).*ndarray"),
    ({"validation_data": (X, Y, Y, Y)}, ValueError, r"tuple \(x, y\)"),
    ({"validation_data": (X, Y, Y[:3])}, ValueError, "`sample_weight` must have shape"),
    ({"validation_data": (X, Y[:3])}, ValueError, "same number of samples"),
    ({"validation_data": (X[..., :2], Y)}, ValueError, "must have 3 features"),
    ({"validation_freq": 0}, ValueError, "`validation_freq`"),
    ({"validation_freq": [1, 0]}, ValueError, "`validation_freq`"),
    ({"validation_freq": "a"}, ValueError, "`validation_freq`"),
    ({"validation_batch_size": 0}, ValueError, "`validation_batch_size`"),
    ({"validation_steps": 1.5}, ValueError, "`validation_steps`"),
    ({"steps_per_epoch": 0}, ValueError, "`steps_per_epoch`"),
    ({"shuffle": "always"}, ValueError, "`shuffle` must be a boolean or 'batch'"),
    ({"epoch": 3}, ValueError, "fit got an argument.*Did you mean `epochs`"),
    ({"workers": 3}, ValueError, "fit got an argument that it does not know. Received"),
    ({"callbacks": [3]}, TypeError, "Received: 3"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), BAD_ARGUMENTS)
def test_bad_arguments_of_fit(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = compiled()
    with pytest.raises(error, match=message):
        model.fit(X, Y, **arguments)
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "adamm"}, "adam"),
        ({"loss": "bincross"}, "'bincross'"),
        ({"metrics": ["accurate"]}, "'accurate'"),
        ({"weighted_metrics": ["accurate"]}, "'accurate'"),
        ({"loss_weights": [1.0, 2.0]}, "`loss_weights` must have one entry"),
        ({"loss_weights": "a"}, "`loss_weights` must be a number. Received: loss_weights='a'"),
        ({"loss": ["mse", "mae"]}, "`loss` must have one entry"),
        ({"metric": ["mse"]}, "compile got an argument.*Did you mean `metrics`"),
    ],
)
def test_bad_arguments_of_compile_leave_the_model_as_it_was(
    arguments: dict[str, Any], message: str
) -> None:
    model = compiled()
    optimizer = model.optimizer
    with pytest.raises(ValueError, match=message):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    assert model.optimizer is optimizer
    assert model.loss == "binary_crossentropy"
    assert list(model.fit(X, Y, verbose=0).history) == ["accuracy", "loss"]


def test_a_metric_that_does_not_fit_the_output_is_refused_before_training() -> None:
    model = Sequential([layers.LSTM(4), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["categorical_accuracy"])
    with pytest.raises(ValueError, match="same shape"):
        model.fit(X, Y)
    assert model.optimizer.iterations == 0


def test_an_uncompiled_model_predicts_only() -> None:
    model = Sequential([layers.LSTM(4)])
    for method in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ValueError, match=f"Call `compile` before `{method}`"):
            getattr(model, method)(X, Y)
    assert model.predict(X, verbose=0).shape == (5, 4)
    model.compile("sgd")
    with pytest.raises(ValueError, match="needs a `loss`"):
        model.fit(X, Y)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch"])
def test_labels_that_a_masked_loss_cannot_weigh_step_by_step(method: str) -> None:
    """Without the last dimension the loss is one value for each sample; Keras fails too."""
    lower = [layers.Embedding(9, 3, mask_zero=True), layers.LSTM(4, return_sequences=True)]
    model = Sequential([*lower, layers.Dense(1)])
    model.compile("sgd", "mse")
    tokens = np.array([[0, 0, 3], [4, 0, 5]])
    model.build(tokens.shape)
    before = model.get_weights()
    message = r"mask of `y_pred` must have shape \(2,\).*Received: mask.shape=\(2, 3\)"
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(tokens, np.ones((2, 3)))
    assert model.optimizer.iterations == 0
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    getattr(model, method)(tokens, np.ones((2, 3, 1)))
