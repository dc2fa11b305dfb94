"""docs/api/ops.md says which names of `keras.ops` are here."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from fastrnn import ops

TOOLS = Path(__file__).resolve().parents[2] / "tools"
if str(TOOLS) not in sys.path:
    sys.path.insert(0, str(TOOLS))

import ops_table  # noqa: E402
from generated_text import between_markers  # noqa: E402

TEXT = ops_table.PAGE.read_text(encoding="utf-8")


def test_the_page_lists_all_names_that_are_here() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| here |"))
    assert {f"`{name}`" for name in ops.__all__} - {"`nn`"} == set(
        row.removeprefix("| here |").strip(" |").split(", ")
    )


def test_the_page_is_what_the_tool_writes(keras: ModuleType) -> None:
    wanted = between_markers(TEXT, ops_table.BEGIN, ops_table.table(keras.ops))
    assert wanted == TEXT, "run `python tools/ops_table.py`"
