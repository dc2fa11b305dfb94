"""How much memory training takes, by a formula.

B rows, T steps, F features, H units, G gates, V rows of an Embedding's table or none, W weights of
the model, P positions that are walked (at most B T), D distinct tokens or none. In floats:

    tape        (B + P) S H + P L H   S states (LSTM 2, else 1); L lanes of gates (LSTM 4, SimpleRNN
                                      0, GRU 4 or, with reset_after=False, 3)
    plan        2 P                   where each position stands
    optimizer   3 W                   gradients, and two moments of Adam
    packs       2 G H (F + H)         weights packed for forward and for backward
    block       max(512, B) (F + H + G H)
    products    D (2 F + 2 G H)

and for each layer that returns sequences 2 B T H more. That is the growth by training: what the
process held before is about 40 MB of Python, NumPy and fastrnn, the weights and the data.
"""

from __future__ import annotations

import numpy as np

from measure.problems import VOCABULARY, Problem

GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
STATES = {"SimpleRNN": 1, "LSTM": 2, "GRU": 1}
LANES = {"SimpleRNN": 0, "LSTM": 4, "GRU": 4}


def training_mb(problem: Problem) -> float:
    """The growth of the largest resident size by training steps of `problem` with Adam, in MB."""
    cell, B, T, F, H = (  # noqa: N806 (the legend's names)
        problem.cell, problem.batch, problem.steps, problem.features, problem.units,
    )  # fmt: skip
    columns = GATES[cell] * H
    distinct = table = 0
    if problem.inputs == "tokens":
        distinct, table = len(np.unique(problem.data()[0])), VOCABULARY * F
    biases = 2 * columns if cell == "GRU" else columns
    weights = table + columns * (F + H) + biases + H + 1
    positions = B * T
    floats = (B + positions) * STATES[cell] * H + positions * LANES[cell] * H
    floats += 2 * positions + 3 * weights + 2 * columns * (F + H)
    floats += max(512, B) * (F + H + columns) + distinct * (2 * F + 2 * columns)
    return 4 * floats / 2**20
