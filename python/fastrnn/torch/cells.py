"""`RNNCell`, `LSTMCell` and `GRUCell` of `torch.nn`, run by the kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from fastrnn.torch.layout import bias_of, kernel_of
from fastrnn.torch.operators import reason_against, run_forward


def _step(
    module: Any, cell: str, activation: str, x: Tensor, states: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Take one step: x [B, F] or [F]; the new states, each [B, H] or [H]."""
    if x.dim() not in (1, 2) or any(state.dim() != x.dim() for state in states):
        raise ValueError(
            "A cell takes an input [B, F] with states [B, H], or [F] with [H]. Received: shapes "
            f"{tuple(x.shape)} and {[tuple(state.shape) for state in states]}"
        )
    if x.dim() == 1:
        states = tuple(state[None] for state in states)
        return tuple(each[0] for each in _step(module, cell, activation, x[None], states))
    if not states:
        states = (x.new_zeros(x.shape[0], module.hidden_size),) * (2 if cell == "lstm" else 1)
    kernel, recurrent = kernel_of(cell, module.weight_ih), kernel_of(cell, module.weight_hh)
    bias = bias_of(cell, module.bias_ih, module.bias_hh)
    keep_tape = torch.is_grad_enabled() and any(
        each.requires_grad for each in (x, kernel, recurrent, *states)
    )
    h, c = states[0], states[1] if cell == "lstm" else None
    _, h, c, _ = run_forward(
        cell, x[:, None], kernel, recurrent, bias, h, c, None, activation, False, keep_tape
    )
    return (h, c) if cell == "lstm" else (h,)


class RNNCell(nn.RNNCell):
    """`torch.nn.RNNCell`, run by fastrnn's kernels; constructor and weights are PyTorch's.

    Example:
        >>> import torch
        >>> RNNCell(3, 4)(torch.zeros(2, 3)).shape
        torch.Size([2, 4])
    """

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step.

        Args:
            input: [B, F] or [F].
            hx: State [B, H] or [H]; None for zeros.

        Returns:
            The new state.
        """
        states = () if hx is None else (hx,)
        if reason_against(*self.parameters(), input, *states) is not None:
            return super().forward(input, hx)
        return _step(self, "simple_rnn", self.nonlinearity, input, states)[0]


class LSTMCell(nn.LSTMCell):
    """`torch.nn.LSTMCell`, run by fastrnn's kernels; constructor and weights are PyTorch's.

    Example:
        >>> import torch
        >>> h, c = LSTMCell(3, 4)(torch.zeros(2, 3))
        >>> h.shape, c.shape
        (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Take one step.

        Args:
            input: [B, F] or [F].
            hx: States (h, c), each [B, H] or [H]; None for zeros.

        Returns:
            The new states.
        """
        states = () if hx is None else tuple(hx)
        if reason_against(*self.parameters(), input, *states) is not None:
            return super().forward(input, hx)
        h, c = _step(self, "lstm", "tanh", input, states)
        return h, c


class GRUCell(nn.GRUCell):
    """`torch.nn.GRUCell`, run by fastrnn's kernels; constructor and weights are PyTorch's.

    Example:
        >>> import torch
        >>> GRUCell(3, 4)(torch.zeros(2, 3)).shape
        torch.Size([2, 4])
    """

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Take one step.

        Args:
            input: [B, F] or [F].
            hx: State [B, H] or [H]; None for zeros.

        Returns:
            The new state.
        """
        states = () if hx is None else (hx,)
        if reason_against(*self.parameters(), input, *states) is not None:
            return super().forward(input, hx)
        return _step(self, "gru", "tanh", input, states)[0]
