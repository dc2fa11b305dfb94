"""Combinations of options that cover every pair, in place of the full product."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any


def pairwise(options: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows, each a choice for every option, in which any two choices of two options meet.

    Greedy and deterministic: a row starts with a pair not yet covered and takes for each further
    option the choice that covers most.
    """
    names = list(options)
    uncovered = {
        ((a, i), (b, j))
        for a, b in itertools.combinations(range(len(names)), 2)
        for i in range(len(options[names[a]]))
        for j in range(len(options[names[b]]))
    }
    rows: list[dict[str, Any]] = []
    while uncovered:
        row: dict[int, int] = dict(min(uncovered))
        for k in range(len(names)):
            if k not in row:
                count = len(options[names[k]])
                # Turning the order of the choices from row to row breaks ties evenly.
                turned = [(len(rows) + c) % count for c in range(count)]
                gains = [len(pairs_with(row, k, choice) & uncovered) for choice in turned]
                row[k] = turned[gains.index(max(gains))]
        uncovered -= set(itertools.combinations(sorted(row.items()), 2))
        rows.append({names[k]: options[names[k]][choice] for k, choice in row.items()})
    return rows


def pairs_with(row: dict[int, int], k: int, choice: int) -> set[Any]:
    """The pairs that choosing `choice` for option k would add to the row."""
    return {tuple(sorted([(k, choice), other])) for other in row.items()}
