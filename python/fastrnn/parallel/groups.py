"""Row groups of a batch: which rank has which, and the fixed tree in which their sums are added."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Node = tuple[int, int]
"""A node of the tree, by the first of its groups and the one behind its last."""


class Groups:
    """A fixed number of row groups, shared out among ranks.

    The sums of the groups are added in a binary tree that halves the groups again and again. It
    depends on their number alone. So the total has the same bits however many ranks there are.

    Args:
        number: Number of groups.
        ranks: Number of ranks. Each has groups that stand next to each other.

    Example:
        >>> groups = Groups(8, ranks=3)
        >>> [list(groups.of_rank(rank)) for rank in range(3)]
        [[0, 1], [2, 3, 4], [5, 6, 7]]
        >>> [groups.rows(group, 10) for group in (0, 7)]
        [slice(0, 2, None), slice(9, 10, None)]
        >>> groups.nodes(1, 10)
        [(2, 4), (4, 5)]
    """

    def __init__(self, number: int, ranks: int) -> None:
        self.number = number
        self.ranks = ranks

    def of_rank(self, rank: int) -> range:
        """Return the groups of a rank; none where there are more ranks than groups."""
        return range(rank * self.number // self.ranks, (rank + 1) * self.number // self.ranks)

    def rows(self, group: int, rows: int) -> slice:
        """Return the rows of a group in a batch of so many rows; the first groups fill first."""
        return slice(*(-(-each * rows // self.number) for each in (group, group + 1)))

    def share(self, rank: int, rows: int) -> slice:
        """Return the rows of a rank in a batch of so many rows."""
        own = self.of_rank(rank)
        first, last = (-(-each * rows // self.number) for each in (own.start, own.stop))
        return slice(first, last)

    def balanced(self, work: np.ndarray) -> np.ndarray | None:
        """Return the rows of a batch in an order that gives all groups about the same work.

        The rows are dealt out, those with the most work first, each to the group that has the least
        so far and is not full. Within a group they keep their order. All of this depends on the
        batch and on the number of groups alone.

        Args:
            work: The work of each row.

        Returns:
            The numbers of the rows, those of the first group first; None for the order as it is.

        Example:
            >>> import numpy as np
            >>> Groups(2, ranks=1).balanced(np.array([9, 8, 1, 3]))
            array([0, 2, 1, 3])
        """
        if self.number == 1 or work.min() == work.max():
            return None
        rows = len(work)
        parts = [self.rows(group, rows) for group in range(self.number)]
        sizes = [part.stop - part.start for part in parts]
        own: list[list[int]] = [[] for _ in parts]
        least = [(0, group) for group, size in enumerate(sizes) if size]
        of_row = work.tolist()
        for row in np.argsort(-work, kind="stable").tolist():
            total, group = heapq.heappop(least)
            own[group].append(row)
            if len(own[group]) < sizes[group]:
                heapq.heappush(least, (total + of_row[row], group))
        return np.array([row for each in own for row in sorted(each)])

    def filled(self, rank: int, rows: int) -> list[int]:
        """Return the groups of a rank that have rows."""
        parts = ((group, self.rows(group, rows)) for group in self.of_rank(rank))
        return [group for group, part in parts if part.stop > part.start]

    def nodes(self, rank: int, rows: int) -> list[Node]:
        """Return the largest nodes of the tree that a rank can sum alone, without empty ones."""
        own = self.of_rank(rank)
        return [
            (first, last)
            for first, last in _inside((0, self.number), own)
            if self.rows(first, rows).start < self.rows(last - 1, rows).stop
        ]

    def sum_of(
        self, node: Node, leaf: Callable[[int], T | None], add: Callable[[T, T], T]
    ) -> T | None:
        """Return the sum of a node's groups, in the order of the tree.

        Args:
            node: The node.
            leaf: Returns what a group adds, None for nothing. It is called in their order.
            add: Adds two sums, of groups further left and further right.
        """
        if node[1] - node[0] == 1:
            return leaf(node[0])
        left, right = (self.sum_of(half, leaf, add) for half in _halves(node))
        return _added(left, right, add)

    def total(self, sums: Mapping[Node, T], add: Callable[[T, T], T]) -> T | None:
        """Return the sum of all groups from the sums of nodes, those of `nodes` of every rank."""
        return _total((0, self.number), sums, add)


def _halves(node: Node) -> tuple[Node, Node]:
    first, last = node
    middle = (first + last) // 2
    return (first, middle), (middle, last)


def _inside(node: Node, own: range) -> Iterator[Node]:
    """Yield the largest nodes below a node that lie within a range of groups."""
    first, last = node
    if own.start <= first and last <= own.stop:
        yield node
    elif first < own.stop and own.start < last:
        for half in _halves(node):
            yield from _inside(half, own)


def _total(node: Node, sums: Mapping[Node, T], add: Callable[[T, T], T]) -> T | None:
    if node in sums:
        return sums[node]
    if node[1] - node[0] == 1:
        return None
    left, right = (_total(half, sums, add) for half in _halves(node))
    return _added(left, right, add)


def _added(left: T | None, right: T | None, add: Callable[[T, T], T]) -> T | None:
    if left is None:
        return right
    return left if right is None else add(left, right)
