"""Attention as equations: `softmax(q k') v` for heads that are split, and its backward pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastrnn import activations
from fastrnn.layers.attention import FAR


class Tape(NamedTuple):
    """What `attend` keeps for `attend_backward`.

    Attributes:
        query: `[..., queries, size]`.
        key: `[..., steps, size]`.
        value: `[..., steps, size of a value]`.
        counts: Which scores count, of a shape that broadcasts to that of the weights; or None.
        weights: `[..., queries, steps]`, before the dropout.
        noise: What the dropout multiplies the weights with, or None.
    """

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    counts: np.ndarray | None
    weights: np.ndarray
    noise: np.ndarray | None

    @property
    def dropped(self) -> np.ndarray:
        """The weights after the dropout."""
        return self.weights if self.noise is None else self.weights * self.noise


def weights_of(
    query: np.ndarray, key: np.ndarray, counts: np.ndarray | None, zeros: bool
) -> np.ndarray:
    """Return `softmax(q k')`.

    Args:
        query: `[..., queries, size]`.
        key: `[..., steps, size]`.
        counts: Which scores count, or None.
        zeros: Whether the weights of a query for which no step counts are 0; else each step has the
            same weight.
    """
    scores = np.matmul(query, np.swapaxes(key, -1, -2))
    if counts is not None:
        scores = np.where(counts, scores, -FAR)
    weights: np.ndarray = activations.softmax.compute(scores)
    return weights if counts is None or not zeros else np.where(counts, weights, np.float32(0))


def attend(tape: Tape) -> np.ndarray:
    """Return the sums of values, `[..., queries, size of a value]`.

    Args:
        tape: What goes into them.
    """
    sums: np.ndarray = np.matmul(tape.dropped, tape.value)
    return sums


def attend_backward(
    tape: Tape, d_sums: np.ndarray | None, d_weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the gradients of queries, keys and values.

    Args:
        tape: What went into the sums.
        d_sums: Gradient of the sums, or None.
        d_weights: Gradient of the weights before the dropout, or None.
    """
    d_value = None
    d = np.zeros_like(tape.weights) if d_weights is None else d_weights
    if d_sums is not None:
        d_value = np.matmul(np.swapaxes(tape.dropped, -1, -2), d_sums)
        d_dropped = np.matmul(d_sums, np.swapaxes(tape.value, -1, -2))
        d = d + (d_dropped if tape.noise is None else d_dropped * tape.noise)
    d_scores = activations.softmax.backward(tape.weights, tape.weights, d)
    if tape.counts is not None:
        d_scores = np.where(tape.counts, d_scores, np.float32(0))
    d_key = np.matmul(np.swapaxes(d_scores, -1, -2), tape.query)
    return np.matmul(d_scores, tape.key), d_key, d_value
