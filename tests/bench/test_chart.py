"""The chart of `bench/compare.py`."""

from __future__ import annotations

from comparison.chart import PEER_COLOURS
from comparison.systems import PEERS


def test_every_peer_has_a_colour_of_its_own() -> None:
    assert len(set(PEER_COLOURS)) == len(PEER_COLOURS) == len(PEERS)
