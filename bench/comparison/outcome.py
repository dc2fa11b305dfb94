"""What is true of every result, whatever was done: who did it with what, and whether it failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from comparison.systems import SUBJECT


class Outcome(Protocol):
    """What a system did with a cell of a workload; `error` says why it did not."""

    workload: str
    cell: str
    system: str
    error: str | None


AnyOutcome = TypeVar("AnyOutcome", bound=Outcome)


def by_cell(results: Sequence[AnyOutcome]) -> list[list[AnyOutcome]]:
    """The results in groups of one workload and cell, in their order."""
    groups: dict[tuple[str, str], list[AnyOutcome]] = {}
    for result in results:
        groups.setdefault((result.workload, result.cell), []).append(result)
    return list(groups.values())


def reference_of(results: Sequence[AnyOutcome]) -> AnyOutcome | None:
    """Whom the others must agree with: ourselves, or the first that finished if we failed."""
    finished = (result for result in results if result.error is None)
    return subject_of(results) or next(finished, None)


def subject_of(results: Sequence[AnyOutcome]) -> AnyOutcome | None:
    """Our own result among those of one cell; None if it failed."""
    return next((r for r in results if r.system == SUBJECT and r.error is None), None)
