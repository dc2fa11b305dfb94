"""A short run of every target; hypothesis draws, and shrinks what fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import system
from fuzz.targets import TARGETS

EXAMPLES_PER_SHARE = 8


@pytest.fixture(autouse=True)
def _same_level_and_threads_afterwards(set_threads: Callable[[int], None]) -> Iterator[None]:
    from fastrnn import _core

    before = _core.isa()
    yield
    _core.set_isa(before)
    _core.set_profiling(False)


@pytest.mark.parametrize("name", TARGETS)
def test_result_or_refusal(name: str) -> None:
    target, share = TARGETS[name]

    @settings(
        max_examples=EXAMPLES_PER_SHARE * share,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def case(r: Random) -> None:
        system.choose(r)
        target(r)

    case()
