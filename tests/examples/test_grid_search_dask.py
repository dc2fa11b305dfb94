"""A search over the workers of dask finds what a search in one process finds."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest


def test_searches_on_two_workers(run_example: Callable[..., str]) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("distributed")
    printed = run_example("grid_search_dask", "--samples", "120", "--epochs", "1")
    *best, last = printed.splitlines()
    scores = [float(line.split()[0]) for line in best]
    assert len(scores) == 3
    assert 1 >= scores[0] >= scores[1] >= scores[2] >= 0
    assert re.fullmatch(r"24 fits on 2 workers in [\d.]+ s; best: \{.*\}", last)
    assert "'cell'" in last
