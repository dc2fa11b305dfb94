"""The recurrent cells as the tests see them: fastrnn.kernels, the oracle, and random weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from fastrnn import kernels

from support import reference
from support.keras_cells import KERAS_CELLS

Array = np.ndarray


@dataclass(frozen=True)
class Cell:
    """A cell of `kernels.CELLS`. Functions of `kernels` are looked up when called."""

    id: str

    @property
    def oracle(self) -> Any:
        return reference.CELLS[self.id]

    @property
    def traits(self) -> kernels.CellTraits:
        return kernels.CELLS[self.id]

    @property
    def gates(self) -> int:
        return self.traits.gates

    @property
    def states(self) -> int:
        return self.traits.states

    @property
    def gated(self) -> bool:
        """Whether it has a recurrent activation."""
        return self.gates > 1

    def forward(self, *args: Any, **options: Any) -> Any:
        return kernels.rnn_forward(self.id, *args, **options)

    def backward(self, *args: Any, **options: Any) -> Any:
        return kernels.rnn_backward(*args, **options)

    def step(self, *args: Any, **options: Any) -> Any:
        return kernels.rnn_step(self.id, *args, **options)

    def weights(
        self, rng: np.random.Generator, features: int, units: int, use_bias: bool = True
    ) -> tuple[Array, Array, Array | None]:
        """Distinct random float32 weights, recurrent ones too small for any state to diverge."""
        columns, rows = self.gates * units, self.traits.bias_rows
        kernel = rng.normal(0, 1 / np.sqrt(features), (features, columns))
        recurrent_kernel = rng.normal(0, 0.6 / np.sqrt(units), (units, columns))
        bias_shape = (rows, columns) if rows > 1 else (columns,)
        bias = rng.normal(0, 0.4, bias_shape) if use_bias else None
        return (
            kernel.astype(np.float32),
            recurrent_kernel.astype(np.float32),
            None if bias is None else bias.astype(np.float32),
        )

    def random_states(self, rng: np.random.Generator, batch: int, units: int) -> tuple[Array, ...]:
        return tuple(normal(rng, batch, units) for _ in range(self.states))


CELLS = tuple(map(Cell, kernels.CELLS))
KERAS_HAS = tuple(cell for cell in CELLS if cell.id in KERAS_CELLS)


def normal(rng: np.random.Generator, *shape: int) -> Array:
    """Standard normal float32 numbers."""
    return rng.standard_normal(shape).astype(np.float32)


def flatten(result: Any) -> dict[str, Array]:
    """The arrays of an RnnOutput or RnnGradients, fastrnn's or the oracle's, by name."""
    arrays: dict[str, Array] = {}
    for name, value in result._asdict().items():
        if name == "tape" or value is None:
            continue
        if isinstance(value, tuple):
            arrays.update({f"{name}[{k}]": part for k, part in enumerate(value)})
        else:
            arrays[name] = value
    return arrays
