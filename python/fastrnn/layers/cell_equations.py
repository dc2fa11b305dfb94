"""One step of each cell in `fastrnn.ops`: the way with activations that the kernels do not have.

It is traced and walked step by step, so it takes many times as long as the kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastrnn import ops
from fastrnn.activations import Activation
from fastrnn.layers.inputs import as_floats
from fastrnn.layers.traced import current
from fastrnn.tracing import native

Masks = Mapping[str, np.ndarray]


def step(cell: Any, x: Any, states: list[Any], masks: Masks) -> tuple[Any, list[Any]]:
    """Return the output and the new states of one step, of arrays or of traced ones.

    Args:
        cell: A SimpleRNNCell, LSTMCell or GRUCell that is built.
        x: `[batch, features]`.
        states: The states before it.
        masks: Those of the dropout, as `RecurrentCell` draws them.
    """
    equations = {"simple_rnn": _simple_rnn, "lstm": _lstm}.get(cell.kernel_cell, _gru)
    return equations(cell, x, states, masks)


def _simple_rnn(cell: Any, x: Any, states: list[Any], masks: Masks) -> tuple[Any, list[Any]]:
    (h,) = states
    z = _of_input(cell, x, masks) + _of_state(cell, h, masks)
    if cell.bias is not None:
        z = z + current(cell.bias)
    h = _activate(cell.activation, z)
    return h, [h]


def _lstm(cell: Any, x: Any, states: list[Any], masks: Masks) -> tuple[Any, list[Any]]:
    h, c = states
    z = _of_input(cell, x, masks) + _of_state(cell, h, masks)
    if cell.bias is not None:
        z = z + current(cell.bias)
    z_i, z_f, z_c, z_o = _blocks(z, 4)
    i, f, o = (_activate(cell.recurrent_activation, each) for each in (z_i, z_f, z_o))
    c = f * c + i * _activate(cell.activation, z_c)
    h = o * _activate(cell.activation, c)
    return h, [h, c]


def _gru(cell: Any, x: Any, states: list[Any], masks: Masks) -> tuple[Any, list[Any]]:
    (h,) = states
    bias = None if cell.bias is None else current(cell.bias)
    z_x = _of_input(cell, x, masks)
    if bias is not None:
        z_x = z_x + (bias[0] if cell.reset_after else bias)
    x_z, x_r, x_h = _blocks(z_x, 3)
    if cell.reset_after:
        z_h = _of_state(cell, h, masks)
        if bias is not None:
            z_h = z_h + bias[1]
        h_z, h_r, h_h = _blocks(z_h, 3)
        r = _activate(cell.recurrent_activation, x_r + h_r)
        candidate = _activate(cell.activation, x_h + r * h_h)
    else:
        h_z, h_r, _ = _blocks(_of_state(cell, h, masks), 3)
        r = _activate(cell.recurrent_activation, x_r + h_r)
        _, _, h_h = _blocks(_of_state(cell, r * h, masks), 3)
        candidate = _activate(cell.activation, x_h + h_h)
    z = _activate(cell.recurrent_activation, x_z + h_z)
    h = z * h + (1 - z) * candidate
    return h, [h]


def _of_input(cell: Any, x: Any, masks: Masks) -> Any:
    return _product(x, current(cell.kernel), masks.get("dropout_mask"), cell.gates)


def _of_state(cell: Any, h: Any, masks: Masks) -> Any:
    return _product(
        h, current(cell.recurrent_kernel), masks.get("recurrent_dropout_mask"), cell.gates
    )


def _product(x: Any, kernel: Any, mask: np.ndarray | None, gates: int) -> Any:
    """Return x times a kernel; a mask `[batch, gates, size]` has a part for each gate."""
    if mask is None:
        return ops.matmul(x, kernel)
    if mask.ndim == 2:
        return ops.matmul(x * mask, kernel)
    own = enumerate(_blocks(kernel, gates))
    return ops.concatenate([ops.matmul(x * mask[:, gate], part) for gate, part in own], axis=-1)


def _blocks(z: Any, count: int) -> list[Any]:
    """Return the parts of the columns that belong to the gates."""
    units = z.shape[-1] // count
    return [z[:, number * units : (number + 1) * units] for number in range(count)]


def _activate(activation: Activation, z: Any) -> Any:
    def forward(values: Any) -> tuple[Any, Any]:
        x = as_floats(values, "inputs")
        y = activation.compute(x)
        return y, (x, y)

    def backward(cache: Any, d_y: Any) -> list[Any]:
        x, y = cache
        return [activation.backward(x, y, as_floats(d_y, "gradient"))]

    return native(forward, backward, z)
