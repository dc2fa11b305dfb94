"""README's example prints what README says; its speeds are those of bench/RESULTS.md."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT / "tools") not in sys.path:
    sys.path.insert(0, str(ROOT / "tools"))

import speed_table  # noqa: E402
from generated_text import between_markers  # noqa: E402

README = (ROOT / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"-?\d+\.\d+")


def test_the_example_prints_what_stands_below_it() -> None:
    ((code, expected),) = re.findall(
        r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL
    )
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    # ISA levels round differently, so the last digit may differ.
    assert NUMBER.sub("N", printed.getvalue()) == NUMBER.sub("N", expected)
    found, wanted = (
        np.array(NUMBER.findall(text), float) for text in (printed.getvalue(), expected)
    )
    np.testing.assert_allclose(found, wanted, rtol=0, atol=0.011)


def test_speeds_are_those_of_the_results() -> None:
    found = speed_table.speeds(speed_table.RESULTS.read_text(encoding="utf-8"))
    assert len(found) >= 25
    wanted = between_markers(README, speed_table.BEGIN, speed_table.table(found))
    assert wanted == README, "run `python tools/speed_table.py`"
    drawn = speed_table.PICTURE.read_text(encoding="utf-8")
    assert drawn == speed_table.picture(found), "run `python tools/speed_table.py`"


def test_speeds_are_read_by_system() -> None:
    table = (
        "| workload, model | fastrnn | A | B |\n|---|---|---|---|\n"
        "| x LSTM | 3.0 | 27.3 (9.1x) | none |\n| x GRU | 0.25 | 104 (5x) | 2.0 (1.0x) |\n\n"
    )
    found = speed_table.speeds(table)
    assert found["x LSTM"] == {"fastrnn": ("3.0", 1.0), "A": ("27.3", 9.1)}
    assert found["x GRU"]["A"] == ("104", 5.0)
    assert found["x GRU"]["B"] == ("2.0", 1.0)


def test_readme_is_short_and_its_links_lead_somewhere() -> None:
    assert len(README.splitlines()) < 120
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", README):
        assert (ROOT / link).exists(), link
