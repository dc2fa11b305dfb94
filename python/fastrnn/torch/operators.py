"""The kernels as two operators of PyTorch: a recurrent layer's forward and backward pass.

They are registered with `torch.library`, so that autograd, `torch.compile` and `opcheck` know
them. Tensors go to the kernels and come back without a copy where their memory is contiguous.
PyTorch's way to such an operator in Python takes some tenths of a millisecond, so `run_forward`
goes straight to the kernels where nobody but autograd asks.

Shapes, with batch B, steps T, features F, units H and G gates (1, 3, 4 for SimpleRNN, GRU, LSTM):
x [B, T, F], or [N, F] with `batch_sizes` [T] as in a `PackedSequence`; kernel [F, G*H],
recurrent_kernel [H, G*H], bias [G*H] (GRU [2, 3*H]), states [B, H].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fastrnn import kernels
from fastrnn.kernels.tape_owner import TapeOwner, tape_owner
from fastrnn.torch.threads import torch_threads


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


def _array(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().contiguous().numpy()
    return array


def _optional_array(tensor: Tensor | None) -> np.ndarray | None:
    return None if tensor is None else _array(tensor)


def _tensor(array: np.ndarray | None) -> Tensor:
    return torch.empty(0) if array is None else torch.from_numpy(array)


def _forward_pass(
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
    batch_sizes: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run a cell over a batch of sequences.

    Args:
        cell: One of `fastrnn.kernels.CELLS`.
        x: [B, T, F], or [N, F] with `batch_sizes`.
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
        batch_sizes: Rows of each time, int64 [T], where x is [N, F]; else None.

    Returns:
        Outputs [B, T, H] or [N, H], or [B, H] of the last step; last h [B, H]; last c [B, H], empty
        but for an LSTM; the tensor that `rnn_backward` takes.
    """
    with torch_threads():
        result = kernels.rnn_forward(
            cell,
            _array(x),
            _array(kernel),
            _array(recurrent_kernel),
            _optional_array(bias),
            [_array(state) for state in (h, c) if state is not None],
            mask=_optional_array(mask),
            dropout_mask=_optional_array(dropout_mask),
            recurrent_dropout_mask=_optional_array(recurrent_dropout_mask),
            zero_output_for_mask=zero_output_for_mask,
            activation=activation,
            recurrent_activation=recurrent_activation,
            go_backwards=go_backwards,
            return_sequences=return_sequences,
            keep_tape=keep_tape,
            batch_sizes=_optional_array(batch_sizes),
        )
    last_c = result.states[1] if c is not None else None
    tape = torch.from_numpy(TapeOwner(result.tape, numbered=False).array())
    return (
        torch.from_numpy(result.outputs),
        torch.from_numpy(result.states[0]),
        _tensor(last_c),
        tape,
    )


rnn_forward = torch.library.custom_op(
    "fastrnn::rnn_forward", _forward_pass, mutates_args=(), device_types="cpu"
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
    batch_sizes: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    batch, units = h.shape
    last_c = x.new_empty(batch, units) if c is not None else x.new_empty(0)
    tape = x.new_empty(1, dtype=torch.int64)
    outputs = (*x.shape[:-1], units) if return_sequences else (batch, units)
    return x.new_empty(outputs), x.new_empty(batch, units), last_c, tape


def _backward_pass(
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
    batch: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Go back through `rnn_forward`.

    Args:
        cell: That of the forward pass, whose x and weights the next arguments are.
        tape: What the forward pass returned.
        x: [B, T, F], or [N, F] with `batch_sizes`.
        kernel: [F, G*H].
        recurrent_kernel: [H, G*H].
        bias: [G*H], for a GRU [2, 3*H], or None.
        d_outputs: Gradient of the outputs, of their shape; None for zeros.
        d_h: Gradient of the last h [B, H]; None for zeros.
        d_c: Likewise of the last c of an LSTM.
        input_gradient: Whether the gradient of x is wanted.
        batch: B.

    Returns:
        The gradients of x, kernel, recurrent_kernel, bias, h and c; empty where there is none.
    """
    has_c = kernels.CELLS[cell].states == 2
    with torch_threads():
        gradients = kernels.rnn_backward(
            _tape_of(tape),
            _optional_array(d_outputs),
            [_optional_array(each) for each in ((d_h, d_c) if has_c else (d_h,))],
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


rnn_backward = torch.library.custom_op(
    "fastrnn::rnn_backward", _backward_pass, mutates_args=(), device_types="cpu"
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
    batch: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    states = batch, recurrent_kernel.shape[0]

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
    cell, x, kernel, recurrent_kernel, bias, h, c = inputs[:7]
    dropout_mask, recurrent_dropout_mask = inputs[14:16]
    ctx.cell, ctx.has_c, ctx.batch = cell, c is not None, h.shape[0]
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
    back = _backward_pass if not torch.is_grad_enabled() and _is_direct(x) else rnn_backward
    d_x, d_kernel, d_recurrent_kernel, d_bias, d_h, d_c = back(
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
        ctx.batch,
    )
    return (
        None,
        d_x if ctx.needs_input_grad[1] else None,
        d_kernel,
        d_recurrent_kernel,
        None if bias is None else d_bias,
        d_h,
        d_c if ctx.has_c else None,
        *[None] * 10,
    )


def _no_second_backward(ctx: Any, *gradients: Tensor | None) -> tuple[None, ...]:
    raise RuntimeError(
        "fastrnn's recurrent layers have first derivatives only. For a second backward pass, as "
        "with `create_graph=True`, use PyTorch's own layers: `fastrnn.torch.restore(model)`."
    )


rnn_forward.register_autograd(_backward, setup_context=_keep_for_backward)
rnn_backward.register_autograd(_no_second_backward)


class _Direct(torch.autograd.Function):
    """`rnn_forward` for autograd alone."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, ...]:
        output = _forward_pass(*inputs)
        _keep_for_backward(ctx, inputs, output)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        d_outputs, d_h, d_c, d_tape = gradients
        return _backward(ctx, d_outputs, d_h, d_c, d_tape)


def _is_direct(tensor: Tensor) -> bool:
    """Return whether PyTorch runs one operation after another, and only autograd has to know."""
    return (
        type(tensor) in (Tensor, nn.Parameter)
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
        and not torch._C._len_torch_dispatch_stack()
        and not torch._C._are_functorch_transforms_active()
    )


_OTHERS: dict[str, Any] = {
    "recurrent_activation": None,
    "zero_output_for_mask": True,
    "return_sequences": True,
    "dropout_mask": None,
    "recurrent_dropout_mask": None,
    "batch_sizes": None,
}


def run_forward(*arguments: Any, **others: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what `rnn_forward` returns, by the shortest way.

    Args:
        *arguments: Those of `rnn_forward` that have no default.
        **others: Any of those that have one.
    """
    arguments = *arguments, *{**_OTHERS, **others}.values()
    _, x, *_, keep_tape = arguments[:11]
    result: tuple[Tensor, Tensor, Tensor, Tensor]
    if not _is_direct(x):
        result = rnn_forward(*arguments)
    else:
        result = _Direct.apply(*arguments) if keep_tape else _forward_pass(*arguments)
    return result
