"""A list has the losses, metrics and predictions of a padded array with a mask."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from fastrnn import layers, models
from golden import losses, metrics
from golden.draws import draw, weight
from golden.objects import fastrnn_object

LENGTHS, STEPS, CLASSES = (2, 7, 1, 4), 7, 3
PADDING = np.float32(-9.0)
TAKEN = {
    name: row
    for name, row in losses.CASES.items()
    if row["weights"] is None
    and not row["mask"]
    and row["shape"] == [4, CLASSES]
    and row["true_shape"] in ([4, CLASSES], [4])
    and row["loss"]["config"].get("reduction", "") not in (None, "none")
}
METRICS = {
    name: row
    for name, row in metrics.CASES.items()
    if row["metric"]["class_name"].startswith("Mean") and row["metric"]["class_name"] != "Mean"
}


def evaluated(loss: Any, metric: Any, y: list[np.ndarray], masked: bool, size: int) -> Any:
    """Return the results of a list, or of its padded array with a mask, and the predictions."""
    rng = np.random.default_rng(14)
    x = [rng.normal(size=(n, 3)).astype(np.float32) for n in LENGTHS]
    model = models.Sequential([layers.Input((None, 3)), layers.Masking(PADDING)])
    model.add(layers.GRU(4, return_sequences=True))
    model.add(layers.Dense(CLASSES, activation="softmax"))
    model.set_weights([weight(rng, w.shape) for w in model.weights])
    model.compile("sgd", copy.deepcopy(loss), weighted_metrics=[copy.deepcopy(metric)])
    if masked:
        x_all = np.full((4, STEPS, 3), PADDING)
        y_all = np.ones((4, STEPS, *y[0].shape[1:]), y[0].dtype)
        for row, (a, b) in enumerate(zip(x, y, strict=True)):
            x_all[row, : len(a)], y_all[row, : len(b)] = a, b
    else:
        x_all, y_all = x, y  # type: ignore[assignment]
    logs = model.evaluate(x_all, y_all, batch_size=size, verbose=0)
    found = model.predict(x_all, batch_size=size, verbose=0)
    return logs, np.concatenate([a[:n] for a, n in zip(found, LENGTHS, strict=True)])


@pytest.mark.parametrize("size", [4, 3, 1])
@pytest.mark.parametrize("name", TAKEN)
def test_losses(name: str, size: int) -> None:
    row = TAKEN[name]
    rng = np.random.default_rng(2)
    y = [draw(rng, row["labels"], (n, *row["true_shape"][1:])) for n in LENGTHS]
    loss = fastrnn_object(copy.deepcopy(row["loss"]))
    metric = "mse" if y[0].ndim == 2 else "sparse_categorical_accuracy"
    wanted, predicted = evaluated(loss, metric, y, True, 4)
    got, found = evaluated(loss, metric, y, False, size)
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(found, predicted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_metrics(name: str) -> None:
    rng = np.random.default_rng(3)
    y = [draw(rng, "unit", (n, CLASSES)) for n in LENGTHS]
    metric = fastrnn_object(copy.deepcopy(METRICS[name]["metric"]))
    wanted, _ = evaluated("mse", metric, y, True, 4)
    for size in (4, 3, 1):
        np.testing.assert_allclose(evaluated("mse", metric, y, False, size)[0], wanted, rtol=2e-5)
