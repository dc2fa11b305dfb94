"""The sum of gradients over all ranks, part of which travels while the rest is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from fastrnn.parallel import table_message
from fastrnn.parallel.gradient_sum import (
    Bucket,
    GradientLayout,
    GradientSum,
    Rows,
    add,
    add_dense,
    add_tables,
)
from fastrnn.parallel.groups import Groups, Node
from fastrnn.parallel.ranks import Ranks

T = TypeVar("T")


@dataclass
class _Moving:
    """A bucket on its way.

    Attributes:
        parts: For each rank the part of the vector that it adds up.
        known: That of this rank, of the sum of each node; complete when `has_sums` is True.
        has_sums: Tells whether the parts of all ranks' sums are here.
        has_total: Tells whether the parts of the total are; None before this rank has sent its own.
    """

    parts: list[slice]
    known: dict[Node, np.ndarray]
    has_sums: Callable[[], bool]
    has_total: Callable[[], bool] | None = None


class GradientExchange:
    """Adds up the gradients of all ranks, to the same bits on each of them.

    Each rank gets a part of every rank's sums, adds those up in the order of the tree, and hands
    the result to all. Two parts of the vector travel for each rank, however many there are. The
    vector travels bucket by bucket: where a rank has a single group, those of the upper layers
    while the lower layers go back.

    Args:
        layout: How the gradients stand in the sums.
        groups: The groups.
        ranks: The ranks.
    """

    def __init__(self, layout: GradientLayout, groups: Groups, ranks: Ranks) -> None:
        self._layout, self._groups, self._ranks = layout, groups, ranks
        self._is_open = False  # whether a sum was begun and not completed
        self._make_memory()
        self._nodes: list[list[Node]] = []
        self._moving: list[_Moving] = []
        self._is_single = False
        self._may_send: Callable[[], bool] = lambda: False

    def _make_memory(self) -> None:
        """Make what is kept from step to step: new memory would cost page faults each time."""
        size = self._layout.dense_size if self._ranks.size > 1 else 0
        self._own = np.empty(size, np.float32)
        self._total = np.empty(size, np.float32)
        self._received: dict[tuple[int, int, int], np.ndarray] = {}

    def begin(self, rows: int, may_send: Callable[[], bool]) -> None:
        """Begin the sum of a batch of so many rows.

        Args:
            rows: Number of rows.
            may_send: Tells whether it is known that all ranks have this batch; does not wait.
        """
        ranks = self._ranks
        if self._is_open:  # after an error: what is still on its way goes to the memory before
            self._make_memory()
        self._is_open = True
        self._nodes = [self._groups.nodes(rank, rows) for rank in range(ranks.size)]
        self._is_single = ranks.size > 1 and len(self._groups.filled(ranks.rank, rows)) == 1
        self._may_send = may_send
        self._moving = []

    def offer(self, stages: int, gradients: Sequence[Any]) -> None:
        """Send the buckets that are complete, if this rank has nothing to add to them.

        Args:
            stages: How many stages of the backward pass are done.
            gradients: The gradients, as far as they are known.
        """
        if not self._is_single or not self._may_send():
            return
        for bucket in self._layout.buckets[len(self._moving) :]:
            if bucket.stage >= stages:
                break
            self._layout.pack_bucket(bucket, gradients, self._own)
            self._send(bucket, [self._own])
        for moving in self._moving:
            if moving.has_total is None:
                if not moving.has_sums():
                    break
                self._add_up(moving)

    def pack(self, gradients: Sequence[np.ndarray]) -> GradientSum:
        """Return the gradients of a group in the form in which they are added."""
        if not self._is_single:
            return self._layout.pack(gradients)
        for bucket in self._layout.buckets[len(self._moving) :]:
            self._layout.pack_bucket(bucket, gradients, self._own)
        return GradientSum(self._own, self._layout.rows_of_tables(gradients))

    def total(self, sums: Mapping[Node, GradientSum]) -> list[np.ndarray]:
        """Return the gradients, added up over all groups of all ranks.

        They stand in memory of this object, until the next batch.

        Args:
            sums: The sums of this rank's nodes, in their order.
        """
        ranks = self._ranks
        if ranks.size == 1:
            self._is_open = False
            return self._layout.unpack(_whole(self._groups.total(sums, add)))
        for bucket in self._layout.buckets[len(self._moving) :]:
            self._send(bucket, [each.dense for each in sums.values()])
        tables = self._total_of_tables({node: each.tables for node, each in sums.items()})
        for moving in self._moving:
            ranks.wait(moving.has_sums, "sums of gradients")
            if moving.has_total is None:
                self._add_up(moving)
        for moving in self._moving:
            assert moving.has_total is not None
            ranks.wait(moving.has_total, "gradients")
        self._is_open = False
        return self._layout.unpack(GradientSum(self._total, tables))

    def _send(self, bucket: Bucket, sums: Sequence[np.ndarray]) -> None:
        """Send the parts of a bucket to the ranks that add them up.

        Args:
            bucket: The bucket.
            sums: The dense vectors of this rank's nodes.
        """
        rank, size = self._ranks.rank, self._ranks.size
        length = bucket.end - bucket.begin
        ends = [bucket.begin + each * length // size for each in range(size + 1)]
        parts = [slice(*pair) for pair in pairwise(ends)]
        own = parts[rank]
        known = {node: dense[own] for node, dense in zip(self._nodes[rank], sums, strict=True)}
        sends, receives = [], []
        for target, source in self._others():
            sends += [(target, dense[parts[target]]) for dense in sums]
            for number, node in enumerate(self._nodes[source]):
                key = (len(self._moving), source, number)
                if key not in self._received:
                    self._received[key] = np.empty(own.stop - own.start, np.float32)
                known[node] = self._received[key]
                receives.append((source, known[node]))
        self._moving.append(_Moving(parts, known, self._ranks.start(sends, receives, 0)))

    def _add_up(self, moving: _Moving) -> None:
        """Add up the sums of all ranks in this rank's part of a bucket, and send the total."""
        own = moving.parts[self._ranks.rank]
        self._total[own] = _whole(self._groups.total(moving.known, add_dense))
        others = self._others()
        moving.has_total = self._ranks.start(
            [(target, self._total[own]) for target, _ in others],
            [(source, self._total[moving.parts[source]]) for _, source in others],
            1,
        )

    def _others(self) -> list[tuple[int, int]]:
        """Return the other ranks, to send to and to receive from: each pair at its own time."""
        rank, size = self._ranks.rank, self._ranks.size
        return [((rank + step) % size, (rank - step) % size) for step in range(1, size)]

    def _total_of_tables(self, sums: Mapping[Node, list[Rows]]) -> list[Rows]:
        """Return the total of the tables, of which only the rows travel that may not be zero."""
        layout, ranks = self._layout, self._ranks
        if not layout.widths:
            return []
        messages = ranks.swap(
            [
                table_message.message([layout.part(each, rank) for each in sums.values()])
                for rank in range(ranks.size)
            ]
        )
        known = {
            node: tables
            for nodes, message in zip(self._nodes, messages, strict=True)
            for node, tables in zip(
                nodes, table_message.parsed(message, layout.widths, len(nodes)), strict=True
            )
        }
        result = table_message.message([_whole(self._groups.total(known, add_tables))])
        parts = [
            table_message.parsed(message, layout.widths, 1)[0]
            for message in ranks.swap([result] * ranks.size)
        ]
        return table_message.joined(parts)


def _whole(total: T | None) -> T:
    assert total is not None, "a batch has at least one row"
    return total
