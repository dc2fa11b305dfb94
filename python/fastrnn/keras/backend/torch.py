"""The kernels inside Keras on PyTorch: the operators of `fastrnn.torch`."""

from __future__ import annotations

from typing import Any

import torch

from fastrnn.keras.walk import Walk
from fastrnn.torch import operators


def reason_against(*tensors: Any) -> str | None:
    """Return why the kernels cannot compute; "" if none need know, None if they can."""
    if any(tensor.device.type == "meta" for tensor in tensors):
        return ""  # Keras infers shapes
    return operators.reason_against(*tensors)


def is_exporting(tensor: Any) -> bool:
    """Return whether a graph is being made for other processes, which may not have the operators.

    Args:
        tensor: An input of the layer.
    """
    return torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export() or torch.jit.is_tracing()


def run(walk: Walk, floats: list[Any], others: list[Any], keep_tape: bool) -> list[Any]:
    """Run the kernels on tensors.

    Args:
        walk: What to compute.
        floats: As in `Walk.forward`.
        others: As in `Walk.forward`.
        keep_tape: Without effect: PyTorch knows itself whether a backward pass may follow.

    Returns:
        The outputs and the last states.
    """
    x, kernel, recurrent_kernel, *rest = floats
    bias = rest.pop(0) if walk.bias else None
    given = dict(zip(walk.others, others, strict=True))
    outputs, h, c, _ = operators.run_forward(
        walk.cell,
        x,
        kernel,
        recurrent_kernel,
        bias,
        rest[0],
        rest[1] if walk.states == 2 else None,
        given.get("mask"),
        walk.activation,
        walk.go_backwards,
        torch.is_grad_enabled() and any(tensor.requires_grad for tensor in floats),
        recurrent_activation=walk.recurrent_activation,
        zero_output_for_mask=walk.zero_output_for_mask,
        return_sequences=walk.return_sequences,
        dropout_mask=given.get("dropout_mask"),
        recurrent_dropout_mask=given.get("recurrent_dropout_mask"),
    )
    return [outputs, h, c][: 1 + walk.states]
