"""Gradients against central differences, published numbers, and what losses refuse."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastrnn import losses

NAMES = tuple(
    name
    for name in losses.__all__
    if name.islower() and name not in ("ctc", "deserialize", "get", "serialize")  # test_ctc.py
)


def published() -> list[Any]:
    folder = os.environ.get("FASTRNN_CASES")
    if not folder:
        return [pytest.param(None, marks=pytest.mark.skip(reason="$FASTRNN_CASES is not set"))]
    cases = json.loads(Path(folder, "extra_cases.json").read_text())["cases"]
    return [pytest.param(case, id=case["id"]) for case in cases if case["kind"] in NAMES]


@pytest.mark.parametrize("case", published())
def test_published_numbers(case: dict[str, Any]) -> None:
    class_name = type(losses.get(case["kind"])).__name__
    loss = losses.get({"class_name": class_name, "config": case["config"]})
    got = loss(case["y_true"], case["y_pred"], case["sample_weight"])
    np.testing.assert_allclose(got, case["expected"], atol=case["atol"], rtol=case["rtol"])


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_central_differences(name: str, from_logits: bool, rng: np.random.Generator) -> None:
    loss = losses.get(name)
    if from_logits and loss.fused_activation is None:
        return
    y_pred = rng.uniform(0.2, 0.8, (3, 4)).astype(np.float32)
    y_true: np.ndarray = rng.integers(0, 4, 3)
    if not name.startswith("sparse"):
        y_true = np.eye(4)[y_true]
    if "percentage" in name:  # of a target of 0 it is infinite
        y_true = y_true + 0.1
    weight = rng.random(3)
    _, gradient = loss.value_and_gradient(y_true, y_pred, weight, from_logits=from_logits)
    for at in np.ndindex(y_pred.shape):
        values = []
        for step in (1e-2, -1e-2):
            moved = y_pred.copy()
            moved[at] += step
            values.append(float(loss(y_true, moved, weight, from_logits=from_logits)))
        assert gradient[at] == pytest.approx((values[0] - values[1]) / 2e-2, rel=1e-3, abs=2e-3)


def test_saturated_logits_keep_their_gradient() -> None:
    loss = losses.BinaryCrossentropy(from_logits=True)
    value, gradient = loss.value_and_gradient([[1.0], [0.0]], [[20.0], [-20.0]])
    assert value == pytest.approx(2.06e-9, rel=1e-2)
    np.testing.assert_allclose(gradient, [[-1.03e-9], [1.03e-9]], rtol=1e-2)


def test_without_focus_the_focal_losses_are_crossentropies(rng: np.random.Generator) -> None:
    y_true, y_pred = np.eye(3), np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    for focal, plain in (
        (losses.BinaryFocalCrossentropy(gamma=0.0), losses.BinaryCrossentropy()),
        (losses.CategoricalFocalCrossentropy(1.0, 0.0), losses.CategoricalCrossentropy()),
    ):
        got, want = (loss.value_and_gradient(y_true, y_pred) for loss in (focal, plain))
        assert got[0] == want[0]
        np.testing.assert_array_equal(got[1], want[1])


def test_all_samples_ignored_is_no_division_by_zero() -> None:
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    value, gradient = loss.value_and_gradient([-1, -1], [[0.5, 0.5], [0.1, 0.9]])
    assert value == 0.0
    assert not gradient.any()


def test_arguments_are_left_alone(rng: np.random.Generator) -> None:
    y_pred = rng.uniform(0.2, 0.8, (3, 4)).astype(np.float32)
    for name in NAMES:
        y_true = np.zeros(3) if name.startswith("sparse") else np.eye(4, dtype=np.float32)[:3]
        before = y_pred.copy(), y_true.copy()
        losses.get(name).value_and_gradient(y_true, y_pred)
        np.testing.assert_array_equal(y_pred, before[0])
        np.testing.assert_array_equal(y_true, before[1])


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("bce", losses.BinaryCrossentropy),
        ("BCE", losses.BinaryCrossentropy),
        ("BinaryCrossentropy", losses.BinaryCrossentropy),
        ("mse", losses.MeanSquaredError),
        ("MAE", losses.MeanAbsoluteError),
        ("KLD", losses.KLDivergence),
        ("huber", losses.Huber),
        (losses.mean_squared_error, losses.MeanSquaredError),
        (losses.log_cosh, losses.LogCosh),
        (losses.CategoricalCrossentropy, losses.CategoricalCrossentropy),
        ({"class_name": "MeanSquaredError", "config": {}}, losses.MeanSquaredError),
    ],
)
def test_get(identifier: Any, cls: type) -> None:
    assert type(losses.get(identifier)) is cls


def test_get_returns_an_object_as_it_is() -> None:
    loss = losses.MeanSquaredError()
    assert losses.get(loss) is loss


@pytest.mark.parametrize("identifier", ["binary_crosentropy", "", None, 3, {}, {"class_name": "x"}])
def test_get_refuses(identifier: Any) -> None:
    with pytest.raises(ValueError, match="Could not interpret loss identifier"):
        losses.get(identifier)


def test_get_suggests() -> None:
    with pytest.raises(ValueError, match="Did you mean binary_crossentropy"):
        losses.get("binary_crosentropy")


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred_shape", "error", "message"),
    [
        ("mse", np.zeros((4, 3)), (4, 2), ValueError, "same shape.*Received"),
        ("mse", np.zeros((4, 3)), (None, 1), ValueError, "same shape.*Received"),
        ("mse", np.zeros(4), (None, 2), ValueError, "same shape.*Received"),
        ("bce", np.array([[0.0], [np.nan]]), (None, 1), ValueError, "finite.*1 of 2.*nan"),
        ("bce", np.array([np.inf]), (None, 1), ValueError, "finite"),
        ("bce", np.array(["a"]), (None, 1), TypeError, "numbers"),
        ("bce", np.array([None]), (None, 1), TypeError, "numbers"),
        ("categorical_crossentropy", np.zeros(4), (None, 3), ValueError, "same shape"),
        ("sparse_categorical_crossentropy", [0, 3], (None, 3), ValueError, r"in \[0, 3\).*: 3"),
        ("sparse_categorical_crossentropy", [0, -1], (None, 3), ValueError, r"in \[0, 3\).*: -1"),
        ("sparse_categorical_crossentropy", [0.5], (None, 3), ValueError, "integral.*0.5"),
        ("sparse_categorical_crossentropy", [[0, 1]], (None, 3), ValueError, "class id"),
        ("sparse_categorical_crossentropy", [np.nan], (None, 3), ValueError, "finite"),
    ],
)
def test_check_refuses(
    loss: str, y_true: Any, y_pred_shape: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        losses.get(loss).check(np.asarray(y_true), y_pred_shape)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred_shape"),
    [
        ("bce", np.zeros(4, bool), (None, 1)),
        ("mse", np.zeros((4, 5)), (None, 5, 1)),
        ("mse", np.zeros((4, 5, 2)), (None, None, 2)),
        ("sparse_categorical_crossentropy", np.array([0.0, 2.0]), (None, 3)),
        ("sparse_categorical_crossentropy", np.array([[0], [2]]), (None, 3)),
    ],
)
def test_check_accepts(loss: str, y_true: np.ndarray, y_pred_shape: Any) -> None:
    losses.get(loss).check(y_true, y_pred_shape)


def test_an_ignored_class_may_be_out_of_range() -> None:
    loss = losses.SparseCategoricalCrossentropy(ignore_class=255)
    loss.check(np.array([0, 255]), (None, 3))
    with pytest.raises(ValueError, match="254"):
        loss.check(np.array([0, 254]), (None, 3))


@pytest.mark.parametrize(
    ("cls", "config", "message"),
    [
        (losses.MeanSquaredError, {"reduction": "average"}, "`reduction` must be one of"),
        (losses.MeanSquaredError, {"dtype": "float64"}, "`dtype` must be"),
        (losses.BinaryCrossentropy, {"label_smoothing": 1.5}, "`label_smoothing`"),
        (losses.BinaryCrossentropy, {"axis": 0}, "`axis`"),
        (losses.CategoricalCrossentropy, {"label_smoothing": -0.1}, "`label_smoothing`"),
        (losses.SparseCategoricalCrossentropy, {"axis": 1}, "`axis`"),
        (losses.CosineSimilarity, {"axis": 1}, "`axis`"),
        (losses.Huber, {"delta": 0.0}, "`delta`"),
        (losses.BinaryFocalCrossentropy, {"gamma": -1.0}, "`gamma`"),
        (losses.CategoricalFocalCrossentropy, {"gamma": float("nan")}, "`gamma`"),
    ],
)
def test_constructors_refuse(cls: type, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}.*Received"):
        cls(**config)


def test_one_class_is_warned_of(rng: np.random.Generator) -> None:
    with pytest.warns(SyntaxWarning, match=r"single class.*binary_crossentropy.*\(None, 1\)"):
        losses.CategoricalCrossentropy().check(np.zeros((4, 1)), (None, 1))


def test_a_loss_of_the_user_s_own() -> None:
    class Cubic(losses.Loss):
        def differentiate(
            self, y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool = False
        ) -> losses.Differential:
            error = y_pred - y_true
            values = np.mean(np.abs(error) ** 3, axis=-1)
            return losses.Differential(values, 3.0 * error * np.abs(error) / error.shape[-1])

    value, gradient = Cubic().value_and_gradient([[0.0], [0.0]], [[1.0], [-2.0]])
    assert value == 4.5
    np.testing.assert_array_equal(gradient, [[1.5], [-6.0]])


def test_a_loss_that_leaves_the_trace_can_be_evaluated_but_not_trained_with() -> None:
    class Cubic(losses.Loss):
        def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
            return np.mean(np.asarray(y_pred - y_true, np.float32), axis=-1)

    loss = Cubic()
    assert float(loss([[0.0], [0.0]], [[1.0], [3.0]])) == 2.0
    with pytest.raises(
        TypeError, match=r"Loss 'cubic.*' cannot be differentiated: .*`fastrnn\.ops`"
    ):
        loss.value_and_gradient([[0.0], [0.0]], [[1.0], [3.0]])
