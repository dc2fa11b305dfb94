"""`bench/fronts.py` times the same computation on both sides."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", exc_type=ImportError)

import fronts  # noqa: E402
from comparison import torch_front  # noqa: E402


@pytest.mark.parametrize("name", torch_front.QUICK)
def test_both_sides_compute_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(torch_front, "backward_of", seen.append)
    for run in torch_front.twins(name):
        run()
    theirs, ours = (getattr(each, "data", each).detach() for each in seen)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    fronts.main(["--quick", "--rounds", "1", "--threads", "1"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in torch_front.QUICK)
    assert "accelerated, ms" in printed
