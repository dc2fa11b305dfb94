"""Recurrent modules of PyTorch, with and without `accelerate`: forward and backward pass."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import fastrnn.torch
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

LIBRARY = f"PyTorch {torch.__version__}, denormals flushed"

# Name: class, options, and batch, steps, features, units of the problem.
CASES: dict[str, tuple[type[nn.RNNBase], dict[str, Any], tuple[int, int, int, int]]] = {
    f"{cls.__name__} {B}x{T}, {F}, {H}": (cls, {}, (B, T, F, H))
    for cls in (nn.LSTM, nn.GRU, nn.RNN)
    for B, T, F, H in (
        (64, 200, 32, 50),
        (30, 100, 128, 128),
        (32, 60, 1, 50),
        (64, 100, 128, 256),
        (8, 32, 16, 64),
    )
}
CASES |= {
    "LSTM packed 64x200, 32, 64": (nn.LSTM, {}, (64, 200, 32, 64)),
    "LSTM two bidirectional 32x50, 64, 128": (
        nn.LSTM,
        {"num_layers": 2, "bidirectional": True},
        (32, 50, 64, 128),
    ),
    "LSTM proj_size 64 32x50, 64, 256": (nn.LSTM, {"proj_size": 64}, (32, 50, 64, 256)),
    "LSTM resets 8x128, 64, 256": (nn.LSTM, {}, (8, 128, 64, 256)),
}
QUICK = ("GRU 8x32, 16, 64", "LSTM packed 64x200, 32, 64", "LSTM resets 8x128, 64, 256")


def backward_of(outputs: Any) -> None:
    """Go back from the sum of the outputs."""
    (outputs.data if isinstance(outputs, PackedSequence) else outputs).sum().backward()


def step_by_step(module: Any, x: Tensor, reset: Tensor) -> Tensor:
    """Run a module whose state is set to zeros at resets, as one has to without `reset`."""
    outputs, states = [], None
    keep = (~reset).float()[:, None, :, None]
    for step in range(x.shape[0]):
        if states is not None:
            states = tuple(state * keep[step] for state in states)
        output, states = module(x[step : step + 1], states)
        outputs.append(output)
    return torch.cat(outputs)


def limit_threads(threads: int) -> None:
    """Let PyTorch, and the kernels inside, use so many threads."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)


def twins(name: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return a forward and backward pass in PyTorch, and the accelerated one."""
    cls, options, (batch, steps, features, units) = CASES[name]
    torch.manual_seed(0)
    own = cls(features, units, **options)
    ours: Any = fastrnn.torch.accelerate(copy.deepcopy(own))
    x: Any = torch.randn(steps, batch, features)
    if "packed" in name:
        lengths = torch.randint(5, steps, (batch,))
        lengths[0] = steps
        x = pack_padded_sequence(x, lengths, enforce_sorted=False)
    reset = torch.rand(steps, batch) < 0.02

    def run(module: Any, outputs: Callable[[Any], Any]) -> Callable[[], None]:
        def one() -> None:
            module.zero_grad()
            backward_of(outputs(module))

        return one

    if "resets" in name:
        theirs = run(own, lambda module: step_by_step(module, x, reset))
        return theirs, run(ours, lambda module: module(x, None, reset)[0])
    return run(own, lambda module: module(x)[0]), run(ours, lambda module: module(x)[0])
