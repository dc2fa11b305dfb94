"""Training problems of any size, with made-up data: what `scaling.py` varies."""

from __future__ import annotations

from dataclasses import dataclass

import fastrnn
import numpy as np
from fastrnn import layers, models, optimizers

SEED = 11
PADDING = 0
VOCABULARY = 1_000  # small, so that updating the table does not hide the cost of the steps


@dataclass(frozen=True)
class Problem:
    """One model and the shape of its batch.

    Args:
        cell: Name of the recurrent layer.
        batch: Rows of the batch.
        steps: Time steps.
        units: Units of the recurrent layer.
        features: Numbers of a step, or width of the embedding.
        inputs: `"numbers"` [batch, steps, features], or `"tokens"` [batch, steps] and an Embedding.
        padding: Share of the tokens that is padding, on average of the rows.
        padded: Where the padding is, `"front"` or `"end"`.
        masked: Whether the Embedding has `mask_zero`.
    """

    cell: str = "LSTM"
    batch: int = 64
    steps: int = 100
    units: int = 64
    features: int = 32
    inputs: str = "numbers"
    padding: float = 0.0
    padded: str = "front"
    masked: bool = False

    @property
    def title(self) -> str:
        """Cell, and what is not the usual."""
        words = [self.cell]
        if self.inputs == "tokens":
            words.append("tokens")
        if self.padded == "end":
            words.append("padded at the end")
        if self.masked:
            words.append("masked")
        return ", ".join(words)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """A batch: x, and labels 0 or 1."""
        generator = np.random.default_rng(SEED)
        y = generator.integers(0, 2, (self.batch, 1)).astype(np.float32)
        if self.inputs == "numbers":
            shape = (self.batch, self.steps, self.features)
            return generator.standard_normal(shape, dtype=np.float32), y
        x = generator.integers(PADDING + 1, VOCABULARY, (self.batch, self.steps), dtype=np.int32)
        lengths = self._lengths()
        generator.shuffle(lengths)
        step = np.arange(self.steps)
        if self.padded == "front":
            x[step < self.steps - lengths[:, None]] = PADDING
        else:
            x[step >= lengths[:, None]] = PADDING
        return x, y

    def model(self) -> models.Sequential:
        """A compiled model of fastrnn."""
        fastrnn.utils.set_random_seed(SEED)
        if self.inputs == "tokens":
            below = [
                layers.Input(shape=(self.steps,), dtype="int32"),
                layers.Embedding(VOCABULARY, self.features, mask_zero=self.masked),
            ]
        else:
            below = [layers.Input(shape=(self.steps, self.features))]
        cell = getattr(layers, self.cell)(self.units)
        model = models.Sequential([*below, cell, layers.Dense(1, activation="sigmoid")])
        model.compile(loss="binary_crossentropy", optimizer=optimizers.Adam())
        return model

    def _lengths(self) -> np.ndarray:
        """Steps of each row that are not padding, spread evenly about their mean."""
        mean = (1.0 - self.padding) * self.steps
        spread = min(self.steps - mean, mean - 1.0)
        lengths = np.linspace(mean - spread, mean + spread, self.batch)
        return np.rint(lengths).astype(np.int64)
