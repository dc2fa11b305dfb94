"""The kernels as two operators of PyTorch: a recurrent layer's forward and backward pass.

They are registered with `torch.library`, so that autograd, `torch.compile` and `opcheck` know
them. Tensors go to the kernels and come back without a copy where their memory is contiguous.

Shapes, with batch B, steps T, features F, units H and G gates (1, 3, 4 for SimpleRNN, GRU, LSTM):
x [B, T, F], kernel [F, G*H], recurrent_kernel [H, G*H], bias [G*H] (GRU [2, 3*H]), states [B, H].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastrnn import config, kernels
from fastrnn.kernels.tape_owner import TapeOwner, tape_owner


def reason_against(*tensors: Tensor) -> str | None:
    """Return why the kernels cannot compute with these tensors; None if they can."""
    if torch.is_autocast_enabled("cpu"):
        return "autocast is on"
    for tensor in tensors:
        if tensor.device.type != "cpu":
            return f"a tensor is on device '{tensor.device}'"
        if tensor.dtype != torch.float32:
            return f"a tensor is of type {tensor.dtype}"
    return None


def _tape_of(tensor: Tensor) -> Any:
    owner = tape_owner(tensor.data_ptr())
    if owner is None:
        raise RuntimeError(
            "The backward pass needs the tape of its forward pass, which is gone: tensors saved "
            "for backward must not be copied or moved to other memory."
        )
    return owner.tape


class _TorchThreads:
    """Within it the kernels use as many threads as PyTorch does."""

    def __enter__(self) -> None:
        self._before = config.get_num_threads()
        wanted = torch.get_num_threads()
        self._changed = wanted != self._before
        if self._changed:
            config.set_num_threads(wanted)

    def __exit__(self, *_: object) -> None:
        if self._changed:
            config.set_num_threads(self._before)


def _array(tensor: Tensor | None) -> np.ndarray | None:
    return None if tensor is None else tensor.detach().numpy()


def _tensor(array: np.ndarray | None) -> Tensor:
    return torch.empty(0) if array is None else torch.from_numpy(array)


@torch.library.custom_op("fastrnn::rnn_forward", mutates_args=(), device_types="cpu")
def rnn_forward(
    cell: str,
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    h: Tensor,
    c: Tensor | None,
    mask: Tensor | None,
    activation: str,
    go_backwards: bool,
    keep_tape: bool,
    recurrent_activation: str | None = None,
    zero_output_for_mask: bool = True,
    return_sequences: bool = True,
    dropout_mask: Tensor | None = None,
    recurrent_dropout_mask: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run a cell over a batch of sequences.

    Args:
        cell: One of `fastrnn.kernels.CELLS`.
        x: [B, T, F].
        kernel: [F, G*H].
        recurrent_kernel: [H, G*H].
        bias: [G*H], for a GRU [2, 3*H], or None.
        h: Initial state [B, H].
        c: Initial cell state [B, H] of an LSTM, else None.
        mask: Bool [B, T], False where a step is skipped; None for no such step.
        activation: Activation of the candidate.
        go_backwards: Whether to walk from the last step to the first.
        keep_tape: Whether a backward pass may follow.
        recurrent_activation: Activation of the gates; None for sigmoid, and of a SimpleRNN.
        zero_output_for_mask: Whether the output of a skipped step is zeros, and not that of the
            step before it in the walk.
        return_sequences: Whether to return the outputs of all steps, not only of the last.
        dropout_mask: Factors of x, [B, F] or [B, G, F], which have no gradient; or None.
        recurrent_dropout_mask: Likewise of h, [B, H] or [B, G, H].

    Returns:
        Outputs [B, T, H], or [B, H] of the last step; last h [B, H]; last c [B, H], empty but for
        an LSTM; the tensor that `rnn_backward` takes.
    """
    with _TorchThreads():
        result = kernels.rnn_forward(
            cell,
            x.detach().numpy(),
            kernel.detach().numpy(),
            recurrent_kernel.detach().numpy(),
            _array(bias),
            [_array(state) for state in (h, c) if state is not None],
            mask=_array(mask),
            dropout_mask=_array(dropout_mask),
            recurrent_dropout_mask=_array(recurrent_dropout_mask),
            zero_output_for_mask=zero_output_for_mask,
            activation=activation,
            recurrent_activation=recurrent_activation,
            go_backwards=go_backwards,
            return_sequences=return_sequences,
            keep_tape=keep_tape,
        )
    last_c = result.states[1] if c is not None else None
    tape = torch.from_numpy(TapeOwner(result.tape, numbered=False).array())
    return (
        torch.from_numpy(result.outputs),
        torch.from_numpy(result.states[0]),
        _tensor(last_c),
        tape,
    )


@rnn_forward.register_fake
def _(
    cell: str,
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    h: Tensor,
    c: Tensor | None,
    mask: Tensor | None,
    activation: str,
    go_backwards: bool,
    keep_tape: bool,
    recurrent_activation: str | None = None,
    zero_output_for_mask: bool = True,
    return_sequences: bool = True,
    dropout_mask: Tensor | None = None,
    recurrent_dropout_mask: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    batch, steps, _ = x.shape
    units = recurrent_kernel.shape[0]
    last_c = x.new_empty(batch, units) if c is not None else x.new_empty(0)
    tape = x.new_empty(1, dtype=torch.int64)
    outputs = (batch, steps, units) if return_sequences else (batch, units)
    return x.new_empty(outputs), x.new_empty(batch, units), last_c, tape


@torch.library.custom_op("fastrnn::rnn_backward", mutates_args=(), device_types="cpu")
def rnn_backward(
    cell: str,
    tape: Tensor,
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    d_outputs: Tensor | None,
    d_h: Tensor | None,
    d_c: Tensor | None,
    input_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Go back through `rnn_forward`.

    Args:
        cell: That of the forward pass, whose x and weights the next arguments are.
        tape: What the forward pass returned.
        x: [B, T, F].
        kernel: [F, G*H].
        recurrent_kernel: [H, G*H].
        bias: [G*H], for a GRU [2, 3*H], or None.
        d_outputs: Gradient of the outputs, of their shape; None for zeros.
        d_h: Gradient of the last h [B, H]; None for zeros.
        d_c: Likewise of the last c of an LSTM.
        input_gradient: Whether the gradient of x is wanted.

    Returns:
        The gradients of x, kernel, recurrent_kernel, bias, h and c; empty where there is none.
    """
    has_c = kernels.CELLS[cell].states == 2
    with _TorchThreads():
        gradients = kernels.rnn_backward(
            _tape_of(tape),
            _array(d_outputs),
            [_array(d_h), _array(d_c)] if has_c else [_array(d_h)],
            input_gradient=input_gradient,
        )
    d_states = gradients.initial_state
    assert d_states is not None
    return (
        _tensor(gradients.x),
        torch.from_numpy(gradients.kernel),
        torch.from_numpy(gradients.recurrent_kernel),
        _tensor(gradients.bias),
        torch.from_numpy(d_states[0]),
        _tensor(d_states[1] if has_c else None),
    )


@rnn_backward.register_fake
def _(
    cell: str,
    tape: Tensor,
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor | None,
    d_outputs: Tensor | None,
    d_h: Tensor | None,
    d_c: Tensor | None,
    input_gradient: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    states = x.shape[0], recurrent_kernel.shape[0]

    def like(tensor: Tensor) -> Tensor:
        return x.new_empty(tensor.shape)

    return (
        like(x) if input_gradient else x.new_empty(0),
        like(kernel),
        like(recurrent_kernel),
        x.new_empty(0) if bias is None else like(bias),
        x.new_empty(states),
        x.new_empty(states) if kernels.CELLS[cell].states == 2 else x.new_empty(0),
    )


def _keep_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    cell, x, kernel, recurrent_kernel, bias, _, c, *_, dropout_mask, recurrent_dropout_mask = inputs
    ctx.cell, ctx.has_c = cell, c is not None
    ctx.set_materialize_grads(False)
    # All that the tape refers to: PyTorch then notices where one is changed meanwhile.
    ctx.save_for_backward(
        output[3], x, kernel, recurrent_kernel, bias, dropout_mask, recurrent_dropout_mask
    )


def _backward(
    ctx: Any, d_outputs: Tensor | None, d_h: Tensor | None, d_c: Tensor | None, _: None
) -> tuple[Tensor | None, ...]:
    tape, x, kernel, recurrent_kernel, bias, *_ = ctx.saved_tensors
    if not ctx.has_c:
        d_c = None
    d_x, d_kernel, d_recurrent_kernel, d_bias, d_h, d_c = rnn_backward(
        ctx.cell,
        tape,
        x,
        kernel,
        recurrent_kernel,
        bias,
        d_outputs,
        d_h,
        d_c,
        ctx.needs_input_grad[1],
    )
    return (
        None,
        d_x if ctx.needs_input_grad[1] else None,
        d_kernel,
        d_recurrent_kernel,
        None if bias is None else d_bias,
        d_h,
        d_c if ctx.has_c else None,
        *[None] * 9,
    )


def _no_second_backward(ctx: Any, *gradients: Tensor | None) -> tuple[None, ...]:
    raise RuntimeError(
        "fastrnn's recurrent layers have first derivatives only. For a second backward pass, as "
        "with `create_graph=True`, use PyTorch's own layers: `fastrnn.torch.restore(model)`."
    )


rnn_forward.register_autograd(_backward, setup_context=_keep_for_backward)
rnn_backward.register_autograd(_no_second_backward)
