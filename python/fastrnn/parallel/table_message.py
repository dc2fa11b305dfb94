"""The rows of tables as the vectors that ranks send each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastrnn.parallel.gradient_sum import Rows


def joined(parts: Sequence[Sequence[Rows]]) -> list[Rows]:
    """Return the tables of the parts of all ranks, in the order of the ranks."""
    return [
        Rows(
            np.concatenate([rows.keys for rows in each]),
            np.concatenate([rows.values for rows in each]),
        )
        for each in zip(*parts, strict=True)
    ]


def message(sums: Sequence[Sequence[Rows]]) -> np.ndarray:
    """Return tables of several sums as one vector; whole numbers stand in it as their bits."""
    pieces = []
    for tables in sums:
        pieces.append(_bits(np.array([len(rows.keys) for rows in tables], np.int32)))
        for rows in tables:
            pieces += [_bits(rows.keys), rows.values.reshape(-1)]
    return np.concatenate(pieces) if pieces else np.empty(0, np.float32)


def parsed(message: np.ndarray, widths: Sequence[int], count: int) -> list[list[Rows]]:
    """Return the tables that a message holds.

    Args:
        message: What `message` made.
        widths: Features of each table.
        count: How many sums it holds.
    """
    rest = message

    def take(size: int) -> np.ndarray:
        nonlocal rest
        taken, rest = rest[:size], rest[size:]
        return taken

    sums = []
    for _ in range(count):
        lengths = take(len(widths)).view(np.int32).tolist()
        tables = []
        for length, width in zip(lengths, widths, strict=True):
            keys = take(length).view(np.int32)
            tables.append(Rows(keys, take(length * width).reshape(length, width)))
        sums.append(tables)
    return sums


def _bits(numbers: np.ndarray) -> np.ndarray:
    return numbers.view(np.float32)
