"""What a system has to offer to be compared: a plan goes in, a model that trains comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from comparison.workloads import LayerSpec


@dataclass(frozen=True)
class Plan:
    """What a system needs to know to train: the same for all."""

    layers: Sequence[LayerSpec]
    weights: Sequence[np.ndarray]
    data: dict[str, Any]  # the fields of `data.Arrays`, but for the source
    batch: int
    loss: str
    metric: str
    learning_rate: float


class Progress(NamedTuple):
    """What a few training steps took, and their mean loss."""

    seconds: float
    loss: float


class Predicted(NamedTuple):
    """What a prediction took, and the model's outputs."""

    seconds: float
    outputs: np.ndarray


class Trainee(Protocol):
    """A model of one system, ready to train and to predict."""

    def train(self, rows: np.ndarray) -> Progress:
        """Trains on these rows of the training set, one step for each batch of them."""

    def evaluate(self, batch: int) -> tuple[float, float]:
        """Loss and metric on the test set."""

    def predict(self, x: np.ndarray, batch: int) -> Predicted:
        """The model's outputs, computed in batches."""

    def predict_one(self, x: np.ndarray) -> np.ndarray:
        """The model's output for an array of one sample."""

    def weights(self) -> Sequence[np.ndarray]:
        """The weights in the layout and order of Keras's `get_weights()`."""
