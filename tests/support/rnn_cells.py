"""The recurrent cells as the tests see them: fastrnn.kernels, the oracle, and random weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastrnn import _core

from support import reference

Array = np.ndarray


@dataclass(frozen=True)
class Cell:
    """One row of the table below. Functions of fastrnn.kernels are looked up when called."""

    id: str
    op: str  # fastrnn.kernels.<op>_forward, _backward, _step
    oracle: type
    gated: bool = True  # has a recurrent_activation
    reset_after: bool | None = None

    @property
    def gates(self) -> int:
        return _core.CELLS[self.id].gates

    @property
    def states(self) -> int:
        return _core.CELLS[self.id].states

    def _op(self, kind: str) -> Callable[..., Any]:
        from fastrnn import kernels

        return getattr(kernels, f"{self.op}_{kind}")

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        if self.reset_after is not None:
            options = {**options, "reset_after": self.reset_after}
        return options

    def forward(self, *args: Any, **options: Any) -> Any:
        return self._op("forward")(*args, **self._options(options))

    def backward(self, *args: Any, **options: Any) -> Any:
        return self._op("backward")(*args, **options)

    def step(self, *args: Any, **options: Any) -> Any:
        return self._op("step")(*args, **self._options(options))

    def weights(
        self, rng: np.random.Generator, features: int, units: int, use_bias: bool = True
    ) -> tuple[Array, Array, Array | None]:
        """Distinct random float32 weights, recurrent ones too small for any state to diverge."""
        columns = self.gates * units
        kernel = rng.normal(0, 1 / np.sqrt(features), (features, columns))
        recurrent_kernel = rng.normal(0, 0.6 / np.sqrt(units), (units, columns))
        rows = _core.CELLS[self.id].bias_rows
        bias_shape = (rows, columns) if rows > 1 else (columns,)
        bias = rng.normal(0, 0.4, bias_shape) if use_bias else None
        return (
            kernel.astype(np.float32),
            recurrent_kernel.astype(np.float32),
            None if bias is None else bias.astype(np.float32),
        )

    def random_states(self, rng: np.random.Generator, batch: int, units: int) -> tuple[Array, ...]:
        return tuple(normal(rng, batch, units) for _ in range(self.states))


CELLS = (
    Cell("simple_rnn", "simple_rnn", reference.SimpleRNN, gated=False),
    Cell("lstm", "lstm", reference.LSTM),
    Cell("gru", "gru", reference.GRUResetAfter, reset_after=True),
    Cell("gru_reset_before", "gru", reference.GRUResetBefore, reset_after=False),
)

# Keras's name of the layer of each op.
LAYERS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}


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
