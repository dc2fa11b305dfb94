"""Nothing falls between two runs of which the second leaves out what passed in the first."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """
import os
import pytest

later = os.environ["RUN"] == "second"

def test_passes(): pass
@pytest.mark.installed
def test_looks_around(): pass
def test_skipped_at_first():
    if not later: pytest.skip("no Keras")
def test_never(): pytest.skip("never")
def test_fails_at_first(): assert later
@pytest.fixture
def torn():
    yield
    assert later
def test_teardown_fails_at_first(torn): pass
@pytest.mark.parametrize("n", range(3 if later else 2))
def test_has_one_more(n): pass
"""
AGAIN = {
    "test_looks_around",
    "test_skipped_at_first",
    "test_fails_at_first",
    "test_teardown_fails_at_first",
    "test_has_one_more[2]",
}


ON_WORKERS = ["-n", "2"] if importlib.util.find_spec("xdist") else []


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("suite")
    here = Path(__file__).parent
    (tmp_path / "conftest.py").write_text(
        f"import sys\nsys.path.insert(0, {str(here)!r})\nfrom support import two_runs\n"
        "pytest_addoption = two_runs.add_options\npytest_configure = two_runs.register\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = installed\n")
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "tests" / "saving").mkdir(parents=True)
    (tmp_path / "tests" / "saving" / "test_files.py").write_text("def test_saves(): pass")
    return tmp_path


def run(suite: Path, name: str, *arguments: str) -> tuple[set[str], str]:
    """Return the tests that passed, and what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rpE", "-p", "no:cacheprovider", *arguments],
        cwd=suite,
        env={**os.environ, "RUN": name, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    named = [(line[0], line[1].partition("::")[2]) for line in lines if len(line) > 1]
    bad = {name for outcome, name in named if outcome == "ERROR"}
    return {name for outcome, name in named if outcome == "PASSED"} - bad, done.stdout


@pytest.fixture(scope="module")
def first(suite: Path) -> set[str]:
    """What passed in the first run, which is written down in `passed.json`."""
    return run(suite, "first", "--passed-into", "passed.json")[0]


def test_the_second_run_has_what_did_not_pass_in_the_first(suite: Path, first: set[str]) -> None:
    assert first == {
        "test_passes",
        "test_looks_around",
        "test_has_one_more[0]",
        "test_has_one_more[1]",
        "test_saves",
    }
    second, printed = run(suite, "second", "--but-passed-in", "passed.json", *ON_WORKERS)
    assert second == AGAIN
    assert "9 tests passed (5 in the first, 4 only in this one), 1 failed or were" in printed


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    ("changed", "too"), [("numpy", {"test_passes", "test_saves"}), ("h5py", {"test_saves"})]
)
def test_what_stands_on_another_library_runs_again(
    suite: Path, changed: str, too: set[str]
) -> None:
    record = json.loads((suite / "passed.json").read_text())
    record["foundations"][changed] = "1.0"
    (suite / "older.json").write_text(json.dumps(record))
    again, printed = run(suite, "second", "--but-passed-in", "older.json")
    assert again - AGAIN - {"test_has_one_more[0]", "test_has_one_more[1]"} == too
    assert f"they have changed: {changed}" in printed


def test_all_run_after_a_first_run_that_broke_off(suite: Path) -> None:
    passed, _ = run(suite, "second", "--but-passed-in", "missing.json")
    assert passed == AGAIN | {"test_passes", "test_saves"} | {
        f"test_has_one_more[{n}]" for n in (0, 1)
    }
