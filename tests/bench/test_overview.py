"""The overview's speed-ups, best peers and geometric means."""

from __future__ import annotations

import pytest
from comparison.overview import BEST_PEER, Row, best_peer, geometric_means, overview, speed_up

ROWS = [
    Row("a", {"fastrnn": 2.0, "keras-tf": 8.0, "keras-jax": 6.0, "torch": 4.0}, trained=True),
    Row("b", {"fastrnn": 1.0, "keras-tf": 9.0, "torch-flush": 2.0, "torch": 1.0}, trained=True),
    Row("c, a batch", {"fastrnn": 1.0, "keras-tf": 500.0}, trained=False),
]


def test_pytorch_as_it_comes_is_never_the_best_peer() -> None:
    assert [best_peer(row) for row in ROWS] == ["keras-jax", "torch-flush", "keras-tf"]
    assert best_peer(Row("d", {"fastrnn": 1.0, "torch": 2.0}, trained=True)) is None


def test_means_are_geometric_and_of_training_only() -> None:
    means = geometric_means(ROWS)
    assert means.pop("keras-tf") == pytest.approx((4.0 * 9.0) ** 0.5)
    assert means.pop("keras-jax") == pytest.approx(3.0)
    assert means.pop("torch") == pytest.approx((2.0 * 1.0) ** 0.5)
    assert means.pop("torch-flush") == pytest.approx(2.0)
    assert means.pop(BEST_PEER) == pytest.approx((3.0 * 2.0) ** 0.5)
    assert not means


def test_the_mean_is_the_last_row() -> None:
    lines = overview(ROWS).splitlines()
    assert len(lines) == 2 + len(ROWS) + 1
    assert lines[2].split() == ["a", "2.00", "4.0x", "3.0x", "Keras", "JAX"]
    assert "500.0x" in lines[4]
    assert lines[-1].split()[-2:] == ["6.0x", "2.4x"]
    assert "of 2 trained" in lines[-1]
    assert "geometric" not in overview(ROWS[2:])


def test_a_row_that_we_failed_counts_for_nothing() -> None:
    failed = Row("e", {"keras-tf": 3.0}, trained=True)
    assert speed_up(failed, "keras-tf") is None
    assert geometric_means([failed]) == {}
    assert geometric_means([*ROWS, failed]) == geometric_means(ROWS)
    assert "failed" in overview([failed])
