"""Two recurrent layers over the same sequences, side by side where both run on the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastrnn import kernels
from fastrnn.layers.recurrent_cell import (
    RecurrentCell,
    Walked,
    WalkGradients,
    gradients_of_walk,
)
from fastrnn.layers.rnn import RNN

Pair = tuple[Any, Any]


def walk_both(
    layers: tuple[RNN, RNN],
    x: Any,
    training: bool,
    mask: np.ndarray | None,
    initial_states: Pair,
    keep_tape: bool,
) -> Sequence[Walked]:
    """Walk with two layers; see `RNN.walk`.

    Args:
        layers: The layers.
        x: `[batch, steps, features]`, or embedded tokens.
        training: Whether dropout is active.
        mask: `[batch, steps]`, booleans, or None.
        initial_states: Those of each layer, or None.
        keep_tape: False where no backward pass will follow.

    Returns:
        What each layer's walk returns.
    """
    pair = zip(layers, initial_states, strict=True)
    if not _are_on_kernels(layers):
        return [layer.walk(x, training, mask, state, keep_tape) for layer, state in pair]
    first, second = (
        layer._walker.kernel_call(**layer.walker_call(x, training, mask, state, keep_tape))
        for layer, state in pair
    )
    both = [Walked(*each) for each in kernels.rnn_forward_both(first, second)]
    for layer, walked in zip(layers, both, strict=True):
        layer.carry(walked.states)
    return both


def walk_both_back(
    layers: tuple[RNN, RNN],
    tapes: Pair,
    d_outputs: Pair,
    input_gradient: bool,
    d_states: Pair,
    consume: bool,
) -> Sequence[WalkGradients]:
    """Go back through `walk_both`; see `RNN.walk_back`.

    Args:
        layers: The layers.
        tapes: The tape of each.
        d_outputs: Gradients with respect to the outputs of each, or None.
        input_gradient: Whether the gradient with respect to x is wanted.
        d_states: Gradients with respect to the last states of each, or None.
        consume: Whether the tapes may be overwritten.

    Returns:
        The gradients of each layer's walk.
    """
    each = zip(tapes, d_outputs, d_states, strict=True)
    if not _are_on_kernels(layers):
        return [
            layer.walk_back(tape, d, input_gradient, d_last, consume)
            for layer, (tape, d, d_last) in zip(layers, each, strict=True)
        ]
    options = {"input_gradient": input_gradient, "consume": consume}
    first, second = (
        {"tape": tape, "d_outputs": d, "d_states": d_last, **options} for tape, d, d_last in each
    )
    return [gradients_of_walk(d) for d in kernels.rnn_backward_both(first, second)]


def _are_on_kernels(layers: tuple[RNN, RNN]) -> bool:
    """Return whether the walk of each layer is one call of the kernels."""
    return all(
        isinstance(layer._walker, RecurrentCell) and type(layer).walk is RNN.walk
        for layer in layers
    )
