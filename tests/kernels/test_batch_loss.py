"""The losses of a batch in one call: those of `fastrnn.losses`, which are in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

# [rows..., outputs]: one output, tails of vectors, several chains of a sum, several parts.
SHAPES = ((1, 1), (5, 1), (7, 3), (3, 17), (4, 5, 10), (2, 1000), (700, 60))
ELEMENTS = ("binary_crossentropy", "mean_squared_error", "mean_absolute_error")
ROWS = ("categorical_crossentropy", "sparse_categorical_crossentropy")

shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def labels(loss: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if loss == "sparse_categorical_crossentropy":
        return rng.integers(0, shape[-1], shape[:-1])
    if loss == "categorical_crossentropy":
        return rng.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)
    if loss == "binary_crossentropy":
        return rng.choice([0.0, 1.0, 0.25], shape).astype(np.float32)
    return rng.standard_normal(shape).astype(np.float32)


def in_numpy(loss: str, y: np.ndarray, z: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Loss, gradient and metric by the classes that users have."""
    from fastrnn import activations, losses, metrics

    logits = {"from_logits": True} if loss.endswith("crossentropy") else {}
    value, gradient = losses.get({"class_name": loss, "config": logits}).value_and_gradient(y, z)
    y_pred: Any = z
    if loss == "binary_crossentropy":
        metric: Any = metrics.BinaryAccuracy(threshold=0.6)
        y_pred = activations.sigmoid(z)
    elif loss == "mean_squared_error":
        metric = metrics.MeanAbsoluteError()
    elif loss == "mean_absolute_error":
        metric = metrics.MeanSquaredError()
    elif loss == "categorical_crossentropy":
        metric = metrics.CategoricalAccuracy()
    else:
        metric = metrics.SparseCategoricalAccuracy()
    return value, gradient, metric(y, y_pred)


@shapes
@pytest.mark.parametrize("loss", ELEMENTS + ROWS)
def test_it_agrees_with_numpy(loss: str, shape: tuple[int, ...], isa: str, rng: Any) -> None:
    from fastrnn import kernels

    z = (5 * rng.standard_normal(shape)).astype(np.float32)
    y = labels(loss, shape, rng)
    value, gradient, metric = in_numpy(loss, y, z)
    found = kernels.batch_loss(loss, y, z, threshold=0.6)
    assert found.loss == pytest.approx(value, rel=1e-6, abs=1e-7)
    assert found.metric == pytest.approx(metric, rel=1e-6)
    assert found.y_pred is not None
    assert found.y_pred.shape == z.shape
    values = z.size if loss in ELEMENTS else z.size // shape[-1]
    np.testing.assert_allclose(found.y_pred, gradient, rtol=2e-6, atol=3e-7 / values)
    without = kernels.batch_loss(loss, y, z, threshold=0.6, gradient=False)
    assert without == (found.loss, found.metric, None)


def test_sure_predictions_keep_their_gradient(isa: str) -> None:
    from fastrnn import kernels

    z = np.array([80.0, -80.0, 30.0, 200.0, -200.0], np.float32)
    found = kernels.batch_loss("binary_crossentropy", [0, 1, 1, 1, 0], z)
    assert found.loss == pytest.approx((80 + 80 + np.exp(-30.0)) / 5)
    assert found.metric == pytest.approx(0.6)
    want = np.array([1, -1, -np.exp(-30.0), 0, 0]) / 5
    np.testing.assert_allclose(found.y_pred, want, rtol=2e-6, atol=1e-35)
    found = kernels.batch_loss("sparse_categorical_crossentropy", [0], [[-1e9, 500.0, 0.0]])
    assert found.loss == pytest.approx(1e9)
    np.testing.assert_allclose(found.y_pred, [[-1, 1, 0]], atol=1e-35)


@pytest.mark.parametrize("loss", ELEMENTS + ROWS)
def test_nan_stays_in_its_row(loss: str, isa: str, rng: Any) -> None:
    from fastrnn import kernels

    z = rng.standard_normal((3, 5)).astype(np.float32)
    z[1, 2] = np.nan
    found = kernels.batch_loss(loss, labels(loss, (3, 5), rng), z)
    assert np.isnan(found.loss)
    lost = np.isnan(found.y_pred)
    want = np.zeros((3, 5), bool)
    want[1, 2 if loss in ELEMENTS else slice(None)] = True
    np.testing.assert_array_equal(lost, want)


@pytest.mark.parametrize("sigmoid", [True, False])
def test_accuracy_is_that_of_the_prediction(sigmoid: bool) -> None:
    from fastrnn import kernels

    z = np.array([0.3, 0.7, -0.1], np.float32)
    found = kernels.batch_loss("binary_crossentropy", [1, 1, 1], z, sigmoid=sigmoid, threshold=0.52)
    assert found.metric == pytest.approx((2 if sigmoid else 1) / 3)


def test_ties_go_to_the_first_class(isa: str) -> None:
    from fastrnn import kernels

    z = np.array([[2.0, 2.0, 1.0], [0.0, 2.0, 2.0]], np.float32)
    assert kernels.batch_loss("sparse_categorical_crossentropy", [0, 2], z).metric == 0.5
    one_hot = [[0, 0.5, 0.5], [0, 1, 0]]
    assert kernels.batch_loss("categorical_crossentropy", one_hot, z).metric == 0.5


@pytest.mark.parametrize("loss", ELEMENTS + ROWS)
def test_same_bits_for_any_number_of_threads(
    loss: str, isa: str, rng: Any, set_threads: Callable[[int], None]
) -> None:
    from fastrnn import kernels

    z = rng.standard_normal((5000, 17)).astype(np.float32)
    y = labels(loss, z.shape, rng)
    results = []
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        results.append(kernels.batch_loss(loss, y, z))
    for result in results[1:]:
        assert result[:2] == results[0][:2]
        np.testing.assert_array_equal(result.y_pred, results[0].y_pred)


def test_bad_input() -> None:
    from fastrnn import kernels

    z = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"`loss` must be one of .* Received: 'hinge'"):
        kernels.batch_loss("hinge", z, z)
    with pytest.raises(ValueError, match="an element for each element"):
        kernels.batch_loss("mean_squared_error", np.zeros((2, 1)), z)
    with pytest.raises(ValueError, match="an element for each row"):
        kernels.batch_loss("sparse_categorical_crossentropy", z, z)
    with pytest.raises(ValueError, match="at least one element"):
        kernels.batch_loss("mean_squared_error", np.zeros((0, 3)), np.zeros((0, 3)))
    for ids in ([0, 3], [-1, 0], [0, 1.5], [0, np.nan]):
        with pytest.raises(ValueError, match=r"class ids in \[0, 3\)"):
            kernels.batch_loss("sparse_categorical_crossentropy", ids, z)
