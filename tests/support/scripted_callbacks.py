"""Callbacks of either library driven by written-down logs, on a model that only takes notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np


class Optimizer:
    """A learning rate that rounds to float32, as those of both do."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    @property
    def learning_rate(self) -> float:
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = float(np.float32(value))


class NotingModel:
    """Its weights are the number of the epoch; it writes down what it is asked to do."""

    def __init__(self) -> None:
        self.optimizer = Optimizer(0.1)
        self.stop_training = False
        self.metrics: list[Any] = []
        self.epoch = -1
        self.asked: list[tuple[Any, ...]] = []

    def get_weights(self) -> list[np.ndarray]:
        return [np.array([self.epoch])]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        self.asked.append(("restored", int(weights[0][0])))

    def save(self, path: str, overwrite: bool = False) -> None:
        self.asked.append(("saved", path, overwrite, self.epoch))

    def save_weights(self, path: str, overwrite: bool = False) -> None:
        self.asked.append(("saved weights", path, overwrite, self.epoch))


def run(
    make: Callable[[], Any],
    epochs: Sequence[dict[str, Any]],
    batches: Sequence[dict[str, Any]] = (),
    trainings: int = 1,
) -> SimpleNamespace:
    """Runs a callback through the logs of the epochs, each with the batches' before its end.

    Returns:
        `callback`; of the last training `asked`, `logs` and `rates` (after each epoch) and
        `stopped`, whether the callback ended it.
    """
    callback = make()
    for _ in range(trainings):
        model = NotingModel()
        logs_after, rates = [], []
        callback.set_model(model)
        callback.set_params({"verbose": 0, "epochs": len(epochs), "steps": len(batches)})
        callback.on_train_begin({})
        for epoch, logs in enumerate(epochs):
            callback.on_epoch_begin(epoch, {})
            model.epoch = epoch
            for batch, batch_logs in enumerate(batches):
                callback.on_train_batch_begin(batch, {})
                callback.on_train_batch_end(batch, dict(batch_logs))
            logs = dict(logs)
            callback.on_epoch_end(epoch, logs)
            logs_after.append(logs)
            rates.append(model.optimizer.learning_rate)
            if model.stop_training:
                break
        callback.on_train_end({})
    return SimpleNamespace(
        callback=callback,
        asked=model.asked,
        logs=logs_after,
        rates=rates,
        stopped=model.stop_training,
    )
