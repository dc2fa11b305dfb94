"""`bench/traced.py` times the same computation on both sides."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("autograd")

import traced


@pytest.mark.parametrize("units", [None, 6])
def test_both_sides_compute_the_same_gradient(
    units: int | None, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    jax = pytest.importorskip("jax", exc_type=ImportError)
    x, d_y = (rng.normal(size=shape).astype("float32") for shape in ((3, 4, 5), (3, 5)))
    weights = [rng.normal(size=s).astype("float32") for s in _shapes(x.shape, units)]
    monkeypatch.setattr(traced, "weights_of", lambda *_: weights)
    monkeypatch.setattr(jax, "block_until_ready", lambda value: value)
    theirs = traced.attention_of_jax(x, d_y, units)
    assert theirs is not None
    _, (wanted_x, wanted) = theirs()
    d_x, d_weights = traced.attention_here(x, d_y, units)()
    np.testing.assert_allclose(d_x, wanted_x, rtol=1e-4, atol=1e-5)
    for one, other in list(zip(d_weights, wanted, strict=True))[: 2 if units is None else 3]:
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def _shapes(shape: tuple[int, ...], units: int | None) -> list[tuple[int, int]]:
    wide, high = (1, shape[1]) if units is None else (units, 1)
    return [(shape[2], wide), (high, wide), (wide, 1)]


def test_tables(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    set_threads: Callable[[int], None],
) -> None:
    for name in ("JAX_PLATFORMS", "XLA_FLAGS"):  # `main` sets them; undone after the test
        monkeypatch.setenv(name, os.environ.get(name, ""))
    set_threads(1)
    traced.main(["--rounds", "1", "--threads", "1"])
    printed = capsys.readouterr().out
    for text in ("pinball", "more, ms", "fastrnn, traced", "64 hidden units"):
        assert text in printed
