"""Sums of gradients: one vector for all weights, and the distinct rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from fastrnn.parallel.groups import Groups, Node
from fastrnn.parallel.ranks import Ranks
from fastrnn.table_gradient import TableGradient, table_gradient


class Rows(NamedTuple):
    """The rows of a table that may differ from zero.

    Attributes:
        places: Which rows, int32, each once, in ascending order.
        values: Their values, `[rows, features]`.
    """

    places: np.ndarray
    values: np.ndarray


class GradientSum(NamedTuple):
    """The sum of the gradients of some row groups, or the part of it that one rank adds up.

    Attributes:
        dense: The gradients of all weights but the tables, one after another.
        tables: The rows of each table.
    """

    dense: np.ndarray
    tables: list[Rows]


class GradientLayout:
    """How the gradients of a model's weights stand in a `GradientSum`.

    A table whose batches touch few rows travels as those rows, everything else in one vector. The
    dense vector is cut into one part for each rank, which adds up that part of all ranks' sums.
    The rows of a table are dealt out one by one, since the frequent tokens stand together.

    Args:
        shapes: Shapes of the gradients.
        tables: Which of them are those of tables, `[vocabulary, features]`.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], tables: Sequence[int]) -> None:
        self._shapes = [tuple(shape) for shape in shapes]
        self.tables = list(tables)
        self._dense = [place for place in range(len(shapes)) if place not in self.tables]
        sizes = [int(np.prod(self._shapes[place])) for place in self._dense]
        self._ends = np.cumsum([0, *sizes]).tolist()
        self._widths = [self._shapes[place][1] for place in self.tables]

    @property
    def dense_size(self) -> int:
        """Number of elements of the dense vector."""
        return int(self._ends[-1])

    def pack(self, gradients: Sequence[np.ndarray]) -> GradientSum:
        """Return gradients in the form in which they are added; the arrays are copied."""
        dense = np.empty(self.dense_size, np.float32)
        for (begin, end), place in zip(pairwise(self._ends), self._dense, strict=True):
            dense[begin:end] = np.asarray(gradients[place]).reshape(-1)
        return GradientSum(dense, [_rows_of(gradients[place]) for place in self.tables])

    def unpack(self, total: GradientSum) -> list[np.ndarray]:
        """Return the gradients of a sum, in the order of the shapes."""
        gradients: list[np.ndarray] = [total.dense] * len(self._shapes)
        for (begin, end), place in zip(pairwise(self._ends), self._dense, strict=True):
            gradients[place] = total.dense[begin:end].reshape(self._shapes[place])
        for place, rows in zip(self.tables, total.tables, strict=True):
            whole = np.zeros(self._shapes[place], np.float32)
            whole[rows.places] = rows.values
            gradients[place] = table_gradient(whole, rows.places)
        return gradients

    def part(self, total: GradientSum, rank: int, ranks: int) -> GradientSum:
        """Return what one of several ranks adds up."""
        begin, end = (each * self.dense_size // ranks for each in (rank, rank + 1))
        tables = []
        for places, values in total.tables:
            own = places % ranks == rank
            tables.append(Rows(places[own], values[own]))
        return GradientSum(total.dense[begin:end], tables)

    def joined(self, parts: Sequence[GradientSum]) -> GradientSum:
        """Return the whole of the parts of all ranks; the rows of tables in any order."""
        dense = np.concatenate([part.dense for part in parts])
        tables = [
            Rows(
                np.concatenate([rows.places for rows in each]),
                np.concatenate([rows.values for rows in each]),
            )
            for each in zip(*(part.tables for part in parts), strict=True)
        ]
        return GradientSum(dense, tables)

    def message(self, sums: Sequence[GradientSum]) -> np.ndarray:
        """Return parts of sums as one vector; whole numbers stand in it as their bits."""
        pieces = []
        for dense, tables in sums:
            pieces.append(_bits(np.array([len(rows.places) for rows in tables], np.int32)))
            pieces.append(dense)
            for rows in tables:
                pieces += [_bits(rows.places), rows.values.reshape(-1)]
        return np.concatenate(pieces) if pieces else np.empty(0, np.float32)

    def parsed(self, message: np.ndarray, dense: int, count: int) -> list[GradientSum]:
        """Return the parts of sums that a message holds.

        Args:
            message: What `message` made.
            dense: Number of elements of the dense part.
            count: How many sums it holds.
        """
        rest = message

        def take(size: int) -> np.ndarray:
            nonlocal rest
            taken, rest = rest[:size], rest[size:]
            return taken

        sums = []
        for _ in range(count):
            lengths = take(len(self.tables)).view(np.int32).tolist()
            own = take(dense)
            tables = []
            for length, width in zip(lengths, self._widths, strict=True):
                places = take(length).view(np.int32)
                tables.append(Rows(places, take(length * width).reshape(length, width)))
            sums.append(GradientSum(own, tables))
        return sums


def total_gradient(
    layout: GradientLayout,
    groups: Groups,
    ranks: Ranks,
    sums: Mapping[Node, GradientSum],
    rows: int,
) -> GradientSum:
    """Return the sum over all groups of all ranks, the same bits on each of them.

    Each rank gets a part of every rank's sums, adds those up in the order of the tree, and hands
    the result to all. Two parts of the vector travel for each rank, however many there are.

    Args:
        layout: How the gradients stand in the sums.
        groups: The groups.
        ranks: The ranks.
        sums: Those of this rank's nodes.
        rows: Number of rows of the batch.
    """
    if ranks.size == 1:
        return _whole(groups.total(sums, add))
    size = ranks.size
    begins = [rank * layout.dense_size // size for rank in range(size + 1)]
    dense = [last - first for first, last in pairwise(begins)]
    nodes = [groups.nodes(rank, rows) for rank in range(size)]
    own = dense[ranks.rank]
    messages = ranks.swap(
        [
            layout.message([layout.part(sums[node], rank, size) for node in nodes[ranks.rank]])
            for rank in range(size)
        ]
    )
    known = {
        node: part
        for each, message in zip(nodes, messages, strict=True)
        for node, part in zip(each, layout.parsed(message, own, len(each)), strict=True)
    }
    result = layout.message([_whole(groups.total(known, add))])
    messages = ranks.swap([result] * size)
    parts = [
        layout.parsed(message, length, 1)[0]
        for message, length in zip(messages, dense, strict=True)
    ]
    return layout.joined(parts)


def add(left: GradientSum, right: GradientSum) -> GradientSum:
    """Add two sums; the first one's dense vector may be overwritten."""
    dense = np.add(left.dense, right.dense, out=left.dense)
    return GradientSum(
        dense, [_add_rows(*pair) for pair in zip(left.tables, right.tables, strict=True)]
    )


def _add_rows(left: Rows, right: Rows) -> Rows:
    places = np.union1d(left.places, right.places)
    values = np.zeros((len(places), left.values.shape[1]), np.float32)
    values[np.searchsorted(places, left.places)] = left.values
    values[np.searchsorted(places, right.places)] += right.values
    return Rows(places, values)


def _rows_of(gradient: np.ndarray) -> Rows:
    """Return the rows of a table's gradient: those of its tokens, else those that are not zero."""
    tokens = gradient.tokens if isinstance(gradient, TableGradient) else None
    plain = np.asarray(gradient).view(np.ndarray)
    if tokens is None:
        touched = plain.any(axis=1)
    else:  # quicker than to sort the tokens
        touched = np.zeros(len(plain), np.bool_)
        touched[tokens] = True
    places = np.flatnonzero(touched)
    return Rows(places.astype(np.int32), plain[places])


def _bits(numbers: np.ndarray) -> np.ndarray:
    return numbers.view(np.float32)


def _whole(total: GradientSum | None) -> GradientSum:
    assert total is not None, "a batch has at least one row"
    return total
