"""PyTorch's weights and states in the layout of the kernels, by operations that autograd knows.

PyTorch keeps `weight_ih` [G*H, F] and `weight_hh` [G*H, H] with the gates of a GRU in the order
r, z, n; the kernels take [F, G*H] and [H, G*H] in Keras's order z, r, h. The gates of an LSTM
(i, f, g, o) stand in the same order in both.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _in_kernel_order(cell: str, rows: Tensor) -> Tensor:
    """Put the gates of rows [G*H, ...] into the order of the kernels."""
    if cell != "gru":
        return rows
    r, z, n = rows.chunk(3)
    return torch.cat([z, r, n])


def kernel_of(cell: str, weight: Tensor) -> Tensor:
    """Return `weight_ih` or `weight_hh` [G*H, N] as a kernel [N, G*H]."""
    return _in_kernel_order(cell, weight).t().contiguous()


def bias_of(cell: str, bias_ih: Tensor | None, bias_hh: Tensor | None) -> Tensor | None:
    """Return both biases [G*H] as one: [G*H], for a GRU [2, 3*H], since it resets the second."""
    if bias_ih is None or bias_hh is None:
        return None
    if cell == "gru":
        return torch.stack([_in_kernel_order(cell, bias_ih), _in_kernel_order(cell, bias_hh)])
    return bias_ih + bias_hh


def enter_as_input(x: Tensor, state: Tensor, first: Tensor) -> Tensor:
    """Append a state to the features of the step that is walked first, and zeros to the others'.

    With the recurrent weights below those of the input, the step's product then holds
    `state @ recurrent_kernel`. An LSTM with projections needs this: the recurrent kernel that it
    gives the kernels takes unprojected states, and the state that the user gives is projected.

    Args:
        x: [B, T, F] or [N, F].
        state: [B, P].
        first: [B], the step of each row that is walked first, as its number among those of x.

    Returns:
        x with F + P features.
    """
    steps = x.shape[:-1]
    entries = x.new_zeros(steps.numel(), state.shape[1]).index_put((first,), state)
    return torch.cat([x, entries.view(*steps, -1)], dim=-1)
