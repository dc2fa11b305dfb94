"""Which layer of Keras, with which arguments, has a cell of the kernels. Needs no fastrnn."""

from __future__ import annotations

from types import ModuleType
from typing import Any

KERAS_CELLS: dict[str, tuple[str, dict[str, Any]]] = {
    "simple_rnn": ("SimpleRNN", {}),
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {}),
    "gru_reset_before": ("GRU", {"reset_after": False}),
}


def layer_of(layers: ModuleType, cell: str, units: int, **options: Any) -> Any:
    """The layer of a cell from `layers`, Keras's or fastrnn's."""
    name, own = KERAS_CELLS[cell]
    return getattr(layers, name)(units, **own, **options)
