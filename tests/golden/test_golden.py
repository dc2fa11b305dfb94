"""fastrnn answers what Keras answered, case by case; see `golden/`."""

from __future__ import annotations

import pytest

from golden.answers import assert_same_answers
from golden.kinds import CASES, KINDS, WITH_KERNELS, golden


def ask(kind: str, name: str, configs: bool) -> None:
    """Objects are made of the arguments of the table, and of the configs that Keras wrote."""
    module, case = KINDS[kind], golden(kind, name)
    rows = [case.row]
    if configs and case.completed != case.row:
        rows.append(case.completed)
    for row in rows:
        assert_same_answers(module.ask_fastrnn(row, case.given), case.answers, module.LIMITS)


@pytest.mark.parametrize(("kind", "name"), [each for each in CASES if each[0] in WITH_KERNELS])
def test_on_every_level(kind: str, name: str, isa: str) -> None:
    from fastrnn import _core

    ask(kind, name, configs=isa == _core.isa_levels()[0])  # configs do not depend on the level


@pytest.mark.parametrize(("kind", "name"), [each for each in CASES if each[0] not in WITH_KERNELS])
def test_in_numpy(kind: str, name: str) -> None:
    ask(kind, name, configs=True)
