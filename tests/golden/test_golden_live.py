"""Keras as installed here still answers what the golden files say: a sample of the cases."""

from __future__ import annotations

from types import ModuleType

import pytest

from golden.answers import assert_same_answers
from golden.kinds import KINDS, golden
from golden.objects import completed

# All would take minutes. Every so many of each kind, which is no divisor of how the tables repeat.
EVERY = {
    "layers": 11,
    "merges": 7,
    "models": 7,
    "graphs": 6,
    "activations": 3,
    "optimizers": 5,
    "losses": 5,
    "metrics": 7,
    "functions": 2,
    "utilities": 3,
}
SAMPLE = [(kind, name) for kind, every in EVERY.items() for name in [*KINDS[kind].CASES][::every]]


def test_every_kind_is_sampled() -> None:
    assert EVERY.keys() == KINDS.keys()


@pytest.mark.parametrize(("kind", "name"), SAMPLE)
def test_answers(kind: str, name: str, keras: ModuleType) -> None:
    module, case = KINDS[kind], golden(kind, name)
    assert completed(case.row) == case.completed
    got = module.ask_keras(case.row, case.given)
    assert_same_answers(got, case.answers, module.LIMITS)
