"""Values and gradients of every loss are those of Keras's TensorFlow backend in float32."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import losses

CLASSES = 4
SHAPES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "[B] and [B, 1]": ((6,), (6, 1)),
    "[B, 1] and [B, 1]": ((6, 1), (6, 1)),
    "[B, F]": ((6, 5), (6, 5)),
    "[B, T, F]": ((3, 4, 2), (3, 4, 2)),
    "[B, T] and [B, T, 1]": ((3, 4), (3, 4, 1)),
}
ELEMENTWISE = [
    ("MeanSquaredError", {}),
    ("MeanAbsoluteError", {}),
    ("BinaryCrossentropy", {}),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}),
    ("BinaryCrossentropy", {"from_logits": True}),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.3}),
]
CATEGORICAL = [
    ("CategoricalCrossentropy", {}),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}),
    ("CategoricalCrossentropy", {"from_logits": True}),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}),
    ("SparseCategoricalCrossentropy", {}),
    ("SparseCategoricalCrossentropy", {"from_logits": True}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}),
]
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight")


def predictions(rng: np.random.Generator, shape: tuple[int, ...], logits: bool) -> np.ndarray:
    """Predictions of which some are out of bounds, at them, or just inside."""
    if logits:
        odd = [0.0, 30.0, -30.0, 90.0, -120.0]
        values = 3.0 * rng.standard_normal(shape)
    else:
        odd = [0.0, 1.0, 1e-7, 5e-8, 1.0 - 1e-7, 0.9999999, 1.5, -0.1]
        values = rng.random(shape)
    chosen = rng.random(shape) < 0.4
    values[chosen] = rng.choice(odd, int(chosen.sum()))
    return values.astype(np.float32)


def labels(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.startswith("Sparse"):
        return rng.integers(0, CLASSES, shape)
    if name.startswith("Categorical"):
        return np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, shape[:-1])]
    if name.startswith("Binary"):
        return rng.integers(0, 2, shape)
    return rng.standard_normal(shape).round(1)


def keras_value_and_gradient(
    loss: Any, y_true: np.ndarray, y_pred: np.ndarray, weight: Any
) -> tuple[np.ndarray, np.ndarray]:
    import tensorflow as tf

    variable = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        value = loss(y_true, tf.convert_to_tensor(variable), sample_weight=weight)
    return value.numpy(), tape.gradient(value, variable).numpy()


def assert_equal(
    ours: losses.Loss, theirs: Any, y_true: np.ndarray, y_pred: np.ndarray, weight: Any = None
) -> None:
    want, d_want = keras_value_and_gradient(theirs, y_true, y_pred, weight)
    got, d_got = ours.value_and_gradient(y_true, y_pred, weight)
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-7)
    np.testing.assert_allclose(ours(y_true, y_pred, weight), want, rtol=2e-6, atol=1e-7)
    assert d_got.dtype == np.float32
    assert d_got.shape == y_pred.shape
    scale = np.abs(d_want).max() + 1e-30
    np.testing.assert_allclose(d_got, d_want, rtol=3e-6, atol=2e-7 * min(scale, 1.0))


@pytest.mark.parametrize(("name", "config"), ELEMENTWISE, ids=str)
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_elementwise(
    name: str, config: dict[str, Any], shapes: Any, keras: ModuleType, rng: np.random.Generator
) -> None:
    true_shape, pred_shape = shapes
    ours, theirs = getattr(losses, name)(**config), getattr(keras.losses, name)(**config)
    for _ in range(5):
        y_pred = predictions(rng, pred_shape, "from_logits" in config or name.startswith("Mean"))
        assert_equal(ours, theirs, labels(rng, name, true_shape), y_pred)


@pytest.mark.parametrize(("name", "config"), CATEGORICAL, ids=str)
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
        for _ in range(5):
            y_true = labels(rng, name, lead + extra)
            if config.get("ignore_class") == -1:
                y_true.flat[0] = -1
            y_pred = predictions(rng, (*lead, CLASSES), "from_logits" in config)
            if name == "CategoricalCrossentropy" and not config.get("from_logits"):
                y_pred = np.abs(y_pred) + np.float32(1e-3)
            assert_equal(ours, theirs, y_true, y_pred)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["BinaryCrossentropy", "SparseCategoricalCrossentropy"])
def test_reductions_and_weights(
    name: str, reduction: str, keras: ModuleType, rng: np.random.Generator
) -> None:
    config: dict[str, Any] = {"reduction": reduction}
    if name.startswith("Sparse"):
        config["ignore_class"] = 1
    ours, theirs = getattr(losses, name)(**config), getattr(keras.losses, name)(**config)
    width = CLASSES if name.startswith("Sparse") else 1
    y_true = labels(rng, name, (6,))
    y_pred = rng.uniform(0.05, 0.9, (6, width)).astype(np.float32)
    for weight in (None, rng.random(6), rng.random((6, 1)), np.zeros(6)):
        assert_equal(ours, theirs, y_true, y_pred, weight)


@pytest.mark.parametrize("reduction", [None, "none"])
def test_without_reduction(
    reduction: str | None, keras: ModuleType, rng: np.random.Generator
) -> None:
    y_true, y_pred = rng.integers(0, 2, (4, 3)), rng.random((4, 3))
    weight = rng.random(4)
    ours = losses.BinaryCrossentropy(reduction=reduction)
    theirs = keras.losses.BinaryCrossentropy(reduction=reduction)
    np.testing.assert_allclose(
        ours(y_true, y_pred, weight), theirs(y_true, y_pred, weight).numpy(), rtol=1e-6
    )
    with pytest.raises(ValueError, match="reduction"):
        ours.value_and_gradient(y_true, y_pred)


@pytest.mark.parametrize(
    ("name", "activation", "units"),
    [
        ("binary_crossentropy", "sigmoid", 1),
        ("binary_crossentropy", "sigmoid", 3),
        ("categorical_crossentropy", "softmax", CLASSES),
        ("sparse_categorical_crossentropy", "softmax", CLASSES),
    ],
)
def test_keras_sees_through_the_last_activation(
    name: str, activation: str, units: int, keras: ModuleType, rng: np.random.Generator
) -> None:
    """What `fused_activation` and `from_logits=True` stand for: Keras's own fit does it."""
    logits = predictions(rng, (5, units), logits=True)
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


@pytest.mark.parametrize(
    ("name", "y_true_shape", "y_pred_shape"),
    [
        ("mean_squared_error", (3, 4), (3, 4)),
        ("mean_squared_error", (3,), (3, 1)),
        ("mean_absolute_error", (3, 2, 4), (3, 2, 4)),
        ("binary_crossentropy", (3, 4), (3, 4)),
        ("categorical_crossentropy", (3, 4), (3, 4)),
        ("sparse_categorical_crossentropy", (3,), (3, 4)),
        ("sparse_categorical_crossentropy", (3, 2, 1), (3, 2, 4)),
    ],
)
def test_functions(
    name: str,
    y_true_shape: tuple[int, ...],
    y_pred_shape: tuple[int, ...],
    keras: ModuleType,
    rng: np.random.Generator,
) -> None:
    y_true = rng.integers(0, 2, y_true_shape)
    y_pred = rng.uniform(0.1, 0.9, y_pred_shape).astype(np.float32)
    got = getattr(losses, name)(y_true, y_pred)
    want = getattr(keras.losses, name)(y_true, y_pred).numpy()
    assert got.shape == want.shape
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=2e-6)


def test_configs_are_keras_s(keras: ModuleType) -> None:
    for name, config in [*ELEMENTWISE, *CATEGORICAL]:
        ours, theirs = getattr(losses, name)(**config), getattr(keras.losses, name)(**config)
        missing = theirs.get_config().items() - ours.get_config().items()
        # Keras 3.15 does not tell `ignore_class` and `axis` of one class.
        assert not {key for key, _ in missing} - {"dtype"}, name
        again = losses.get(losses.serialize(ours))
        assert type(again) is type(ours)
        assert again.get_config() == ours.get_config()
