"""How much memory training takes, by a formula.

B rows, T steps, F features, H units, G gates, V rows of an Embedding's table or none, W weights of
the model, P positions that are walked (at most B T), D distinct tokens or none, N threads. A tape
has S states and L cached lanes of gates, as in `_core.CELLS`. `stride` is what L gates of H units
take there: L H, and where 16 does not divide H a gap for a vector that starts in the last gate.
In floats:

    tape        (B + P) S H + P stride(L)
    plan        2 P                   where each position stands
    optimizer   3 W                   gradients, and two moments of Adam
    packs       2 G H (F + H)         weights packed for forward and for backward

Where the batch walks back in R groups of rows (`row_groups`):

    sums        (R - 1) G H (F + H)   weight gradients of all groups but the first
    block       64 N (F + H + stride(L))
    products    D (F + G H)           forward; and P more to sort the positions by token

With tokens a group's sums have no F rows. Instead min(8, D / 64) parts of the tokens have a sum of
F G H each, and the gate gradients of all positions are kept: in place of the gates on the tape, or
in P stride(1) where the cell caches none. Elsewhere:

    block       max(512, B) (F + H + G H)
    products    D (2 F + 2 G H)

and for each layer that returns sequences 2 B T H more. That is the growth by training: what the
process held before is about 40 MB of Python, NumPy and fastrnn, the weights and the data.
"""

from __future__ import annotations

import fastrnn
import numpy as np
from fastrnn import _core
from fastrnn.naming import to_snake_case

from measure.problems import VOCABULARY, Problem

GROUP_BLOCK = 64  # positions that a group collects before it adds their weight gradients


def stride(lanes: int, units: int) -> int:
    """Floats of a position's gates on a tape."""
    return lanes * units if units % 16 == 0 else (lanes * units + 30) // 16 * 16


def row_groups(batch: int, positions: int, weights: int) -> int:
    """Groups of rows that walk back, 0 if none: as in `cpp/kernels/recurrence.h`.

    Args:
        batch: Rows.
        positions: Positions that are walked.
        weights: Floats whose gradients a group sums.
    """
    if batch < 8 or weights > 2**17:
        return 0
    return max(1, min(max(8, batch // 16), 32, batch // 4, positions // 64))


def training_mb(problem: Problem) -> float:
    """The growth of the largest resident size by training steps of `problem` with Adam, in MB."""
    cell, B, T, F, H = (  # noqa: N806 (the legend's names)
        problem.cell, problem.batch, problem.steps, problem.features, problem.units,
    )  # fmt: skip
    traits = _core.CELLS[to_snake_case(cell)]
    columns, lanes = traits.gates * H, traits.cached_lanes
    distinct = table = 0
    if problem.inputs == "tokens":
        distinct, table = len(np.unique(problem.data()[0])), VOCABULARY * F
    weights = table + columns * (F + H + traits.bias_rows) + H + 1
    positions = B * T
    floats = (B + positions) * traits.states * H + positions * stride(lanes, H)
    floats += 2 * positions + 3 * weights + 2 * columns * (F + H)
    summed = columns * (H if distinct else F + H)
    groups = row_groups(B, positions, summed)
    if not groups:
        floats += max(512, B) * (F + H + columns) + distinct * (2 * F + 2 * columns)
        return 4 * floats / 2**20
    floats += (groups - 1) * summed
    floats += fastrnn.get_num_threads() * GROUP_BLOCK * (F + H + stride(max(lanes, 1), H))
    if distinct:
        parts = max(1, min(8, distinct // GROUP_BLOCK))
        floats += distinct * (F + columns) + positions + (parts - 1) * F * columns
        floats += 0 if lanes else positions * stride(1, H)
    return 4 * floats / 2**20
