"""How much memory training takes, by a formula.

B rows, T steps, F features, H units, G gates, V rows of an Embedding's table or none, W weights of
the model, P positions that are walked (at most B T), D distinct tokens or none. In floats:

    tape        (B + P) S H + P L H   S states and L cached lanes of gates, as in `_core.CELLS`
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
from fastrnn import _core
from fastrnn.naming import to_snake_case

from measure.problems import VOCABULARY, Problem


def training_mb(problem: Problem) -> float:
    """The growth of the largest resident size by training steps of `problem` with Adam, in MB."""
    cell, B, T, F, H = (  # noqa: N806 (the legend's names)
        problem.cell, problem.batch, problem.steps, problem.features, problem.units,
    )  # fmt: skip
    traits = _core.CELLS[to_snake_case(cell)]
    columns = traits.gates * H
    distinct = table = 0
    if problem.inputs == "tokens":
        distinct, table = len(np.unique(problem.data()[0])), VOCABULARY * F
    weights = table + columns * (F + H + traits.bias_rows) + H + 1
    positions = B * T
    floats = (B + positions) * traits.states * H + positions * traits.cached_lanes * H
    floats += 2 * positions + 3 * weights + 2 * columns * (F + H)
    floats += max(512, B) * (F + H + columns) + distinct * (2 * F + 2 * columns)
    return 4 * floats / 2**20
