"""The pages of the docs lead to what they name, and none is missing."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastrnn
import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [
    *ROOT.glob("*.md"),
    *DOCS.rglob("*.md"),
    *(ROOT / "bench").glob("*.md"),
    *(ROOT / "tests").glob("*.md"),
    *(ROOT / folder / "README.md" for folder in ("cpp", "examples", "tests/fuzz")),
]
PLACES = {
    "equation": "lstm.h",
    "forward": "lstm.h",
    "backward": "lstm.h",
    "binding": "rnn.cpp",
    "stub (types of the binding)": "_core.pyi",
    "function on NumPy arrays": "recurrent.py",
    "layer": "lstm.py",
    "test": "reference.py",
    "benchmark": "workloads.py",
}


def links(page: Path) -> Iterator[Path]:
    """Yield the files that a page links to."""
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            yield page.parent / link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    for target in links(page):
        assert target.is_file(), target


def test_each_place_of_the_lstm_is_where_the_page_says() -> None:
    page = DOCS / "where-is-lstm.md"
    rows = [line.strip("|").split("|") for line in page.read_text(encoding="utf-8").splitlines()]
    rows = [[cell.strip() for cell in row] for row in rows if len(row) == 3][2:]
    assert [what for what, _, _ in rows] == list(PLACES)
    for what, where, wanted in rows:
        file = DOCS / re.findall(r"\]\(([^)]+)\)", where)[-1]
        assert file.name == PLACES[what]
        text = file.read_text(encoding="utf-8")
        for code in re.findall(r"`([^`]+)`", wanted):
            assert code in text, (file, code)


def test_every_namespace_has_a_page_and_every_page_is_in_the_contents() -> None:
    contents = (DOCS / "api" / "index.md").read_text(encoding="utf-8").split("\n")
    listed = {page.stem for page in (DOCS / "api").glob("*.md")} - {"index"}
    assert listed == set(contents) & listed
    for name in fastrnn.__all__:
        module = getattr(fastrnn, name)
        if type(module) is type(fastrnn):
            pages = {page for page in listed if page.partition(".")[0] == name}
            assert pages, name
            for page in pages:
                importlib.import_module(f"fastrnn.{page}")


@pytest.mark.parametrize(
    ("page", "needs"),
    [
        ("write-your-own", "autograd"),
        ("scale", "joblib"),
        ("scikit-learn", "sklearn"),
        ("text", "numpy"),
    ],
)
def test_the_code_of_a_page_runs(
    page: str, needs: str, run_python: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip(needs)
    monkeypatch.chdir(tmp_path)  # where they save
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL)
    run = run_python("\n".join(blocks))
    assert run.returncode == 0, run.stderr
