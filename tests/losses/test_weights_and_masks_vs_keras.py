"""Sample weights, masks and reductions do what they do in Keras."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from fastrnn import losses
from support.keras_losses import CLASSES, assert_same_loss, keras_value, labels

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight")
SAMPLES, STEPS = 5, 3
NAMES = (
    "BinaryCrossentropy",
    "SparseCategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Huber",
)


def make(keras: ModuleType, name: str, reduction: str | None) -> tuple[losses.Loss, Any]:
    config: dict[str, Any] = {"reduction": reduction}
    if name.startswith("Sparse"):
        config["ignore_class"] = 1  # a mask of the loss's own
    return getattr(losses, name)(**config), getattr(keras.losses, name)(**config)


def data(rng: np.random.Generator, name: str, *lead: int) -> tuple[np.ndarray, np.ndarray]:
    y_true = labels(rng, name, lead if name.startswith("Sparse") else (*lead, CLASSES))
    return y_true, rng.uniform(0.05, 0.9, (*lead, CLASSES)).astype(np.float32)


def masks(rng: np.random.Generator, *shape: int) -> list[np.ndarray | None]:
    some = rng.random(shape) < 0.5
    some.flat[:2] = True, False
    return [None, some, np.zeros(shape, bool)]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_of_samples(name: str, reduction: str, keras: ModuleType, rng: np.random.Generator) -> None:
    ours, theirs = make(keras, name, reduction)
    y_true, y_pred = data(rng, name, SAMPLES)
    for mask in masks(rng, SAMPLES):
        for weight in (None, rng.random(SAMPLES), rng.random((SAMPLES, 1)), np.zeros(SAMPLES)):
            assert_same_loss(ours, theirs, y_true, y_pred, weight, mask)
    assert_same_loss(ours, theirs, y_true, y_pred, 2.5)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_of_steps(name: str, reduction: str, keras: ModuleType, rng: np.random.Generator) -> None:
    ours, theirs = make(keras, name, reduction)
    y_true, y_pred = data(rng, name, SAMPLES, STEPS)
    for mask in masks(rng, SAMPLES, STEPS):
        for shape in ((SAMPLES, STEPS), (SAMPLES, 1), (SAMPLES, STEPS, 1)):
            assert_same_loss(ours, theirs, y_true, y_pred, rng.random(shape), mask)
        assert_same_loss(ours, theirs, y_true, y_pred, None, mask)


@pytest.mark.parametrize("reduction", [None, "none"])
@pytest.mark.parametrize("lead", [(SAMPLES,), (SAMPLES, STEPS)], ids=str)
def test_without_reduction(
    lead: tuple[int, ...], reduction: str | None, keras: ModuleType, rng: np.random.Generator
) -> None:
    ours, theirs = make(keras, "SparseCategoricalCrossentropy", reduction)
    y_true, y_pred = data(rng, "SparseCategoricalCrossentropy", *lead)
    for mask in masks(rng, *lead):
        for weight in (None, rng.random(lead)):
            want = keras_value(theirs, y_true, y_pred, weight, mask)
            got = ours(y_true, y_pred, weight, mask=mask)
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=2e-6)
    with pytest.raises(ValueError, match="reduction"):
        ours.value_and_gradient(y_true, y_pred)


@pytest.mark.parametrize("shape", [(2,), (SAMPLES, STEPS + 1), (STEPS, SAMPLES), (1, 1, 1, 1)])
def test_weights_that_do_not_fit(shape: tuple[int, ...]) -> None:
    y = np.zeros((SAMPLES, STEPS, 2))
    with pytest.raises(ValueError, match=r"`sample_weight` must be .*\(5, 3\).*Received"):
        losses.MeanSquaredError().value_and_gradient(y, y, np.ones(shape))


def test_a_mask_that_does_not_fit() -> None:
    y = np.zeros((SAMPLES, STEPS, 2))
    with pytest.raises(ValueError, match=r"mask.*\(5, 3\).*Received: mask.shape=\(5,\)"):
        losses.MeanSquaredError().value_and_gradient(y, y, mask=np.ones(SAMPLES, bool))


def test_what_is_masked_has_no_gradient(rng: np.random.Generator) -> None:
    mask = np.array([[True, False, True]])
    y_pred = rng.uniform(1.0, 2.0, (1, 3, 2))
    _, gradient = losses.Huber().value_and_gradient(np.zeros((1, 3, 2)), y_pred, mask=mask)
    assert not gradient[0, 1].any()
    assert gradient[0, ::2].all()
