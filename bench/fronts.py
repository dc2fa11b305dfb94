"""Times PyTorch's recurrent modules with and without `fastrnn.torch.accelerate`, in turns.

    python bench/fronts.py --quick

Forward and backward pass with PyTorch's denormals flushed, medians; needs PyTorch.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import fastrnn.torch
import torch
from comparison.machine import cores, describe_machine
from comparison.text_table import text_table
from measure.command_line import positive
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

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


def passes(name: str) -> tuple[Callable[[], None], Callable[[], None]]:
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


def seconds(call: Callable[[], None]) -> float:
    """Return how long a call takes."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="three cases, few rounds")
    parser.add_argument("--rounds", type=positive, help="turns of each module (default 15)")
    parser.add_argument("--threads", type=positive, default=cores())
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    machine = describe_machine([])
    print(f"{machine['cpu']}, {options.threads} threads, PyTorch {torch.__version__}\n")
    rows = []
    for name in QUICK if options.quick else CASES:
        theirs, ours = passes(name)
        theirs(), ours()  # not counted
        rounds = options.rounds or (3 if options.quick else 15)
        turns = [(seconds(theirs), seconds(ours)) for _ in range(rounds)]
        one, other = (statistics.median(each) * 1e3 for each in zip(*turns, strict=True))
        rows.append((name, f"{one:.2f}", f"{other:.2f}", f"{one / other:.1f}"))
    print(text_table(("module", "PyTorch, ms", "accelerated, ms", "times"), rows))


if __name__ == "__main__":
    sys.exit(main())
