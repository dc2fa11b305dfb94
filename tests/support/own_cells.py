"""Cells as users write them, for Keras and for fastrnn, and two of them in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np


@lru_cache
def own_cells(lib: Any) -> SimpleNamespace:
    """The classes on the layers and ops of a library, `keras` or `fastrnn`."""
    layers, ops = lib.layers, lib.ops

    class Peephole(layers.Layer):
        """The LSTM whose gates see its memory (Gers and Schmidhuber, 2000)."""

        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = [units, units]
            self.output_size = units

        def build(self, input_shape: Any) -> None:
            shape = (self.units, 4 * self.units)
            self.kernel = self.add_weight(shape=(input_shape[-1], shape[1]), name="kernel")
            self.recurrent_kernel = self.add_weight(shape=shape, name="recurrent_kernel")
            self.bias = self.add_weight(shape=(shape[1],), initializer="zeros", name="bias")
            self.peephole = self.add_weight(shape=(3, self.units), name="peephole")
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            h, c = states
            z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
            i, f, g, o = ops.split(z, 4, axis=-1)
            i = ops.sigmoid(i + c * self.peephole[0])
            f = ops.sigmoid(f + c * self.peephole[1])
            c = f * c + i * ops.tanh(g)
            h = ops.sigmoid(o + c * self.peephole[2]) * ops.tanh(c)
            return h, [h, c]

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    class MinimalGated(layers.Layer):
        """One gate, of layers inside (Zhou et al., 2016)."""

        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = self.state_size = units
            self.gate = layers.Dense(units, activation="sigmoid")
            self.candidate = layers.Dense(units, activation="tanh")

        def build(self, input_shape: Any) -> None:
            for each in (self.gate, self.candidate):
                each.build((input_shape[0], input_shape[-1] + self.units))
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            h = states[0]
            f = self.gate(ops.concatenate([inputs, h], axis=-1))
            h = (1 - f) * h + f * self.candidate(ops.concatenate([inputs, f * h], axis=-1))
            return h, [h]

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    class Residual(layers.Layer):
        """A cell around another, with a first state that is learned and an output of its own."""

        def __init__(self, cell: Any, size: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.cell = cell
            self.state_size = cell.state_size
            self.output_size = size
            self.first = self.add_weight(shape=(1, 4), initializer="ones", name="first")

        def build(self, input_shape: Any) -> None:
            self.cell.build(input_shape)
            self.kernel = self.add_weight(shape=(4, self.output_size), name="kernel")
            self.built = True

        def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
            y, new = self.cell(inputs, states, training=training)
            y = ops.matmul(y, self.kernel)
            return inputs + (0.5 * y if training else y), new

        def get_initial_state(self, batch_size: Any = None) -> Any:
            return [ops.tile(self.first, (batch_size, 1)), ops.zeros((batch_size, 4))]

    return SimpleNamespace(Peephole=Peephole, MinimalGated=MinimalGated, Residual=Residual)


# ------------------------------------------------------------------------------------ in float64

Step = Callable[[np.ndarray, list[np.ndarray], Sequence[np.ndarray]], list[np.ndarray]]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def peephole_step(
    x: np.ndarray, states: list[np.ndarray], weights: Sequence[np.ndarray]
) -> list[np.ndarray]:
    h, c = states
    kernel, recurrent_kernel, bias, peephole = weights
    i, f, g, o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=-1)
    i, f = sigmoid(i + c * peephole[0]), sigmoid(f + c * peephole[1])
    c = f * c + i * np.tanh(g)
    return [sigmoid(o + c * peephole[2]) * np.tanh(c), c]


def minimal_gated_step(
    x: np.ndarray, states: list[np.ndarray], weights: Sequence[np.ndarray]
) -> list[np.ndarray]:
    (h,) = states
    gate, gate_bias, candidate, candidate_bias = weights
    f = sigmoid(np.concatenate([x, h], -1) @ gate + gate_bias)
    new = np.tanh(np.concatenate([x, f * h], -1) @ candidate + candidate_bias)
    return [(1 - f) * h + f * new]


def walk(
    step: Step,
    x: np.ndarray,
    states: Sequence[np.ndarray],
    weights: Sequence[np.ndarray],
    mask: np.ndarray | None = None,
    *,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The outputs in the order of the walk, `[batch, steps, units]`, and the last states."""
    now, outputs = list(states), []
    output = np.zeros_like(now[0])
    for t in reversed(range(x.shape[1])) if go_backwards else range(x.shape[1]):
        kept = np.ones((len(x), 1), bool) if mask is None else mask[:, t, np.newaxis]
        new = step(x[:, t], now, weights)
        now = [np.where(kept, a, b) for a, b in zip(new, now, strict=True)]
        output = np.where(kept, new[0], output)
        outputs.append(np.where(kept, output, 0) if zero_output_for_mask else output)
    return np.stack(outputs, 1), now
