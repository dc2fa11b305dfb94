"""What a training step costs on many nodes: measured computation, counted bytes, stated network.

A prediction, no measurement. Left out is what differs from node to node: a step takes as long as
its slowest node, and networks are shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comparison.text_table import text_table

from measure.figures import figure

MESSAGE_MS = 0.002  # what a message costs the processor that sends or receives it


@dataclass(frozen=True)
class Network:
    """A network between nodes.

    Args:
        name: What the table calls it.
        gbit: Bits per second of a node in each direction, in billions.
        latency_ms: Milliseconds until the first byte arrives.
    """

    name: str
    gbit: float
    latency_ms: float


NETWORKS = (
    Network("10 Gbit/s, 30 us", 10.0, 0.03),
    Network("100 Gbit/s, 2 us", 100.0, 0.002),
)


@dataclass(frozen=True)
class Traffic:
    """What the ranks exchange in a step.

    Args:
        dense: Weights whose gradients travel whole.
        width: Features of the table whose gradient travels by rows; 0 without a table.
        own_rows: Distinct rows of the table in the share of a rank.
        all_rows: Distinct rows in the batch.
    """

    dense: int
    width: int
    own_rows: int
    all_rows: int

    def bytes_sent(self, nodes: int) -> float:
        """What a rank sends: first its sums to those who add them up, then its part to all."""
        others = (nodes - 1) / nodes
        rows = self.own_rows + self.all_rows
        return 4 * others * (2 * self.dense + rows * (self.width + 1))


def exchange_ms(traffic: Traffic, nodes: int, network: Network) -> float:
    """Milliseconds of the exchanges of a step.

    They are the parts of the sums, and the parts of the total, of the vector and of the table each.
    What ranks tell each other about a batch arrives while they compute.
    """
    if nodes == 1:
        return 0.0
    kinds = 2 if traffic.width else 1
    messages = 2 * (network.latency_ms + kinds * (nodes - 1) * MESSAGE_MS)
    return messages + 8e-6 * traffic.bytes_sent(nodes) / network.gbit


def prediction_table(
    title: str,
    compute_ms: Sequence[float],
    traffic: Sequence[Traffic],
    nodes: Sequence[int],
    grows: bool,
) -> str:
    """A row per network: milliseconds of a step, and how many times one node's samples per second.

    Args:
        title: What is predicted.
        compute_ms: Measured milliseconds of a node's share: of one node, then for each of `nodes`.
        traffic: What is exchanged with so many nodes.
        nodes: Numbers of nodes.
        grows: Whether the batch grows with the nodes, rather than being shared out.
    """
    rows = []
    for network in NETWORKS:
        cells = [network.name]
        for count, ms, own in zip(nodes, compute_ms[1:], traffic, strict=True):
            total = ms + exchange_ms(own, count, network)
            gain = compute_ms[0] / total * (count if grows else 1)
            cells.append(f"{figure(total)} ({gain:.1f}x)")
        rows.append(cells)
    return text_table([f"{title}; nodes:", *map(str, nodes)], rows)
