"""Labels and predictions for each loss, and a loss of Keras beside one of fastrnn."""

from __future__ import annotations

from typing import Any

import numpy as np
from fastrnn import losses

CLASSES = 4
_OF_PROBABILITIES = ("Binary", "Categorical", "Sparse", "KLDivergence", "Poisson")


def labels(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Labels that the loss of this class name takes, edge cases among them."""
    if name.startswith("Sparse"):
        return rng.integers(0, CLASSES, shape)
    if name.startswith("Categorical"):
        return np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, shape[:-1])]
    if name.startswith("Binary"):
        return rng.integers(0, 2, shape)
    if name.endswith("Hinge"):
        return rng.integers(0, 2, shape) if rng.random() < 0.5 else rng.choice([-1, 1], shape)
    if name == "Poisson":
        return rng.integers(0, 5, shape)
    if name == "KLDivergence":
        return rng.choice([0.0, 5e-8, 1e-7, 0.3, 0.5, 1.0, 1.2], shape)
    return rng.standard_normal(shape).round(1)


def predictions(
    rng: np.random.Generator, name: str, shape: tuple[int, ...], **config: Any
) -> np.ndarray:
    """Predictions of which some are out of bounds, at them, or just inside."""
    hinge = name.endswith("Hinge")
    if name.startswith(_OF_PROBABILITIES) and not hinge and not config.get("from_logits"):
        odd = [0.0, 1.0, 1e-7, 5e-8, 1.0 - 1e-7, 0.9999999, 1.5]
        if name != "Poisson":  # of a negative rate it is NaN
            odd.append(-0.1)
        values = rng.random(shape)
    else:
        odd = [0.0, 1.0, -1.0, 1e-7, 30.0, -30.0]
        if not hinge and "Logarithmic" not in name:
            odd += [90.0, -120.0]
        values = 3.0 * rng.standard_normal(shape)
    chosen = rng.random(shape) < 0.4
    values[chosen] = rng.choice(odd, int(chosen.sum()))
    if name == "CosineSimilarity":  # of length 0 Keras's gradient is NaN, at 1e-7 it has an edge
        values[np.abs(values).sum(axis=-1) < 0.1] = 0.5
    return values.astype(np.float32)


def keras_value(
    loss: Any, y_true: np.ndarray, y_pred: Any, weight: Any = None, mask: Any = None
) -> np.ndarray:
    import tensorflow as tf
    from keras.src.backend import set_keras_mask

    y_pred = tf.convert_to_tensor(y_pred)
    if mask is not None:
        set_keras_mask(y_pred, tf.constant(mask))
    return np.asarray(loss(y_true, y_pred, sample_weight=weight))


def assert_same_loss(
    ours: losses.Loss,
    theirs: Any,
    y_true: np.ndarray,
    y_pred: np.ndarray,
    weight: Any = None,
    mask: np.ndarray | None = None,
) -> None:
    """The value by both ways, and the gradient."""
    want, d_want = _keras_value_and_gradient(theirs, y_true, y_pred, weight, mask)
    got, d_got = ours.value_and_gradient(y_true, y_pred, weight, mask=mask)
    atol = 4e-7 if isinstance(ours, losses.CosineSimilarity) else 1e-7  # products that cancel
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=atol)
    called = ours(y_true, y_pred, weight, mask=mask)
    np.testing.assert_allclose(called, want, rtol=2e-6, atol=atol)
    assert d_got.dtype == np.float32
    assert d_got.shape == y_pred.shape
    if not isinstance(ours, losses.CosineSimilarity):
        atol = 2e-7 * min(np.abs(d_want).max() + 1e-30, 1.0)
    np.testing.assert_allclose(d_got, d_want, rtol=3e-6, atol=atol)


def _keras_value_and_gradient(
    loss: Any, y_true: np.ndarray, y_pred: np.ndarray, weight: Any, mask: Any
) -> tuple[np.ndarray, np.ndarray]:
    import tensorflow as tf
    from keras.src.backend import set_keras_mask

    variable = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        tensor = tf.convert_to_tensor(variable)
        if mask is not None:
            set_keras_mask(tensor, tf.constant(mask))
        value = loss(y_true, tensor, sample_weight=weight)
    return value.numpy(), tape.gradient(value, variable).numpy()
