"""Values and gradients of every loss are those of Keras's TensorFlow backend in float32."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import losses
from fastrnn.naming import to_snake_case
from support.keras_losses import CLASSES, assert_same_loss, labels, predictions

SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "[B] and [B, 1]": ((6,), (6, 1)),
    "[B, 1] and [B, 1]": ((6, 1), (6, 1)),
    "[B, F]": ((6, 5), (6, 5)),
    "[B, T, F]": ((3, 4, 2), (3, 4, 2)),
    "[B, T] and [B, T, 1]": ((3, 4), (3, 4, 1)),
}
OF_OUTPUTS = [
    ("MeanSquaredError", {}),
    ("MeanAbsoluteError", {}),
    ("MeanAbsolutePercentageError", {}),
    ("MeanSquaredLogarithmicError", {}),
    ("LogCosh", {}),
    ("Huber", {}),
    ("Huber", {"delta": 0.3}),
    ("Poisson", {}),
    ("KLDivergence", {}),
    ("CosineSimilarity", {}),
    ("Hinge", {}),
    ("SquaredHinge", {}),
    ("BinaryCrossentropy", {}),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}),
    ("BinaryCrossentropy", {"from_logits": True}),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.3}),
    ("BinaryFocalCrossentropy", {}),
    ("BinaryFocalCrossentropy", {"gamma": 1.5, "label_smoothing": 0.2, "from_logits": True}),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.0}),
]
OF_CLASSES = [
    ("CategoricalHinge", {}),
    ("CategoricalCrossentropy", {}),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}),
    ("CategoricalCrossentropy", {"from_logits": True}),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}),
    ("CategoricalFocalCrossentropy", {}),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 1.5, "alpha": 0.3}),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4], "label_smoothing": 0.1}),
    ("SparseCategoricalCrossentropy", {}),
    ("SparseCategoricalCrossentropy", {"from_logits": True}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}),
]
CLASS_NAMES = sorted({name for name, _ in [*OF_OUTPUTS, *OF_CLASSES]})


@pytest.mark.parametrize(("name", "config"), OF_OUTPUTS, ids=str)
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_of_outputs(
    name: str, config: dict[str, Any], shapes: Any, keras: ModuleType, rng: np.random.Generator
) -> None:
    true_shape, pred_shape = shapes
    ours, theirs = getattr(losses, name)(**config), getattr(keras.losses, name)(**config)
    for _ in range(4):
        y_pred = predictions(rng, name, pred_shape, **config)
        assert_same_loss(ours, theirs, labels(rng, name, true_shape), y_pred)


@pytest.mark.parametrize(("name", "config"), OF_CLASSES, ids=str)
@pytest.mark.parametrize("lead", [(6,), (3, 4)], ids=str)
def test_of_classes(
    name: str,
    config: dict[str, Any],
    lead: tuple[int, ...],
    keras: ModuleType,
    rng: np.random.Generator,
) -> None:
    ours, theirs = getattr(losses, name)(**config), getattr(keras.losses, name)(**config)
    for extra in ((), (1,)) if name.startswith("Sparse") else ((CLASSES,),):
        for _ in range(4):
            y_true = labels(rng, name, lead + extra)
            if config.get("ignore_class") == -1:
                y_true.flat[0] = -1
            y_pred = predictions(rng, name, (*lead, CLASSES), **config)
            if (
                name.startswith("Categorical")
                and name.endswith("entropy")
                and not config.get("from_logits")
            ):
                y_pred = np.abs(y_pred) + np.float32(1e-3)
            assert_same_loss(ours, theirs, y_true, y_pred)


def test_short_predictions_have_a_cosine(keras: ModuleType) -> None:
    """Below a length of 1e-7 the length counts as 1e-7."""
    y_true = np.array([[3.0, 4.0], [0.0, 2.0]], np.float32)
    y_pred = np.array([[2e-9, -1e-9], [3e-8, 4e-8]], np.float32)
    assert_same_loss(losses.CosineSimilarity(), keras.losses.CosineSimilarity(), y_true, y_pred)


def test_a_prediction_of_length_zero_has_no_cosine(keras: ModuleType) -> None:
    y_true, y_pred = np.array([[3.0, 4.0]] * 2), np.array([[0.0, 0.0], [1.0, 0.0]], np.float32)
    value, gradient = losses.CosineSimilarity().value_and_gradient(y_true, y_pred)
    assert value == pytest.approx(float(keras.losses.CosineSimilarity()(y_true, y_pred)))
    np.testing.assert_allclose(gradient, [[0.0, 0.0], [0.0, -0.4]], atol=1e-7)


@pytest.mark.parametrize(
    ("name", "activation", "units"),
    [
        ("binary_crossentropy", "sigmoid", 1),
        ("binary_crossentropy", "sigmoid", 3),
        ("binary_focal_crossentropy", "sigmoid", 3),
        ("categorical_crossentropy", "softmax", CLASSES),
        ("sparse_categorical_crossentropy", "softmax", CLASSES),
    ],
)
def test_keras_sees_through_the_last_activation(
    name: str, activation: str, units: int, keras: ModuleType, rng: np.random.Generator
) -> None:
    """What `fused_activation` and `from_logits=True` stand for: Keras's own fit does it."""
    logits = predictions(rng, name, (5, units), from_logits=True)
    if units == CLASSES:
        ids = rng.integers(0, CLASSES, 5)
        y_true = ids if name.startswith("sparse") else np.eye(CLASSES)[ids]
    else:
        y_true = rng.integers(0, 2, (5, units))
    model = keras.Sequential([keras.Input((units,)), keras.layers.Activation(activation)])
    model.compile(loss=name)
    loss = losses.get(name)
    assert loss.fused_activation == activation
    got = loss(y_true, logits, from_logits=True)
    np.testing.assert_allclose(got, model.evaluate(logits, y_true, verbose=0), rtol=2e-6)


def test_ignored_classes_hide_the_softmax() -> None:
    assert losses.SparseCategoricalCrossentropy(ignore_class=0).fused_activation is None


@pytest.mark.parametrize("shape", [(3, CLASSES), (3, 2, CLASSES)], ids=str)
@pytest.mark.parametrize("name", CLASS_NAMES)
def test_functions(
    name: str, shape: tuple[int, ...], keras: ModuleType, rng: np.random.Generator
) -> None:
    y_true = labels(rng, name, shape[:-1] if name.startswith("Sparse") else shape)
    y_pred = rng.uniform(0.1, 0.9, shape).astype(np.float32)
    function = to_snake_case(name)
    got = getattr(losses, function)(y_true, y_pred)
    want = getattr(keras.losses, function)(y_true, y_pred).numpy()
    assert got.shape == want.shape
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=3e-6, atol=1e-7)


def test_functions_hand_their_arguments_on(keras: ModuleType, rng: np.random.Generator) -> None:
    y_pred = rng.standard_normal((3, CLASSES)).astype(np.float32)
    smoothed = {"from_logits": True, "label_smoothing": 0.2}
    for name, arguments in (
        ("huber", {"delta": 0.4}),
        ("binary_crossentropy", smoothed),
        ("categorical_crossentropy", smoothed),
        ("sparse_categorical_crossentropy", {"from_logits": True, "ignore_class": 1}),
    ):
        y_true = np.eye(CLASSES, dtype=np.float32)[[1, 0, 2]]
        if name.startswith("sparse"):
            y_true = np.array([1, 0, 2])
        got = getattr(losses, name)(y_true, y_pred, **arguments)
        want = getattr(keras.losses, name)(y_true, y_pred, **arguments).numpy()
        np.testing.assert_allclose(got, want, rtol=2e-6, err_msg=name)


def test_labels_of_lower_rank_fit_functions(rng: np.random.Generator) -> None:
    y_true, y_pred = rng.random(3), rng.random((3, 1))
    for name in ("mean_squared_error", "huber", "hinge", "binary_crossentropy"):
        function = getattr(losses, name)
        np.testing.assert_array_equal(
            function(y_true, y_pred), function(y_true[:, np.newaxis], y_pred)
        )


def test_configs_are_keras_s(keras: ModuleType) -> None:
    for name, config in [*OF_OUTPUTS, *OF_CLASSES]:
        ours, theirs = getattr(losses, name)(**config), getattr(keras.losses, name)(**config)
        # Keras 3.15 leaves `axis`, `delta` out of some; they are its own arguments all the same.
        assert theirs.get_config().items() <= ours.get_config().items(), name
        assert getattr(keras.losses, name).from_config(ours.get_config()).name == ours.name
        again = losses.get(losses.serialize(ours))
        assert type(again) is type(ours)
        assert again.get_config() == ours.get_config()
        assert config.items() <= again.get_config().items()


def test_names_are_keras_s(keras: ModuleType) -> None:
    """Every string that Keras takes for one of these losses means the same here."""
    from keras.src.losses import ALL_OBJECTS_DICT

    known = 0
    for string, wanted in ALL_OBJECTS_DICT.items():
        if wanted.__name__ in losses.__all__ and wanted.__name__ != "Loss":
            got = type(losses.get(string)).__name__
            assert wanted.__name__ in (got, to_snake_case(got)), string
            known += 1
    assert known >= 2 * len(CLASS_NAMES) + 12
