"""What regularizers of weights and outputs add to loss and gradients, in training and tests."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support.trainer_twins import assert_same_fit, assert_same_logs, compiled_twins


def regularized(library: Any) -> list[Any]:
    lib, penalties = library.layers, library.regularizers
    return [
        lib.SimpleRNN(
            4,
            kernel_regularizer=penalties.L1L2(0.01, 0.1),
            recurrent_regularizer="l2",
            bias_regularizer=penalties.L2(0.2),
        ),
        lib.Dense(3, kernel_regularizer=penalties.L2(0.1), trainable=False),
        lib.Dense(1, activity_regularizer=penalties.L2(0.1)),
    ]


@pytest.mark.parametrize("loss_weights", [None, 0.25])
def test_penalties_are_part_of_the_loss(
    keras: ModuleType, rng: np.random.Generator, loss_weights: float | None
) -> None:
    """The frozen layer adds nothing; the weight of the loss does not weigh the penalties."""
    x, y = rng.normal(size=(7, 3, 2)), rng.normal(size=7)
    theirs, ours = compiled_twins(
        keras, rng, regularized, x.shape, loss="mse", metrics=["mse"], loss_weights=loss_weights
    )
    wanted, got = (
        model.evaluate(x, y, batch_size=4, verbose=0, return_dict=True) for model in (theirs, ours)
    )
    assert_same_logs(got, wanted)
    assert got["loss"] > got["mse"] * (loss_weights or 1.0) + 0.1
    assert_same_fit(theirs, ours, x, y, batch_size=4, epochs=3, validation_split=0.3)
    left, right = (model.train_on_batch(x, y, return_dict=True) for model in (ours, theirs))
    assert_same_logs(left, right)
