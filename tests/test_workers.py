"""`pytest` alone runs on all CPUs; whoever names tests, or watches, has them in one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import workers

pytest.importorskip("xdist")

TESTS = """
import os

def test_where():
    worker = os.environ.get("PYTEST_XDIST_WORKER", "none")
    with open(os.environ["FOUND"], "a") as file:
        file.write(f"{worker} of {os.environ.get('PYTEST_XDIST_WORKER_COUNT', 1)}")
"""
CONFTEST = """
import sys
import pytest

sys.path.insert(0, {folder!r})
from support import workers

workers.usable_cpus = lambda: {cpus}

@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    workers.share_whole_run(config)
"""


@pytest.mark.parametrize(
    ("arguments", "cpus", "where"),
    [
        ([], 2, "gw"),
        ([], 1, "none of 1"),
        (["tests/test_one.py"], 2, "none of 1"),
        (["--pdb"], 2, "none of 1"),
    ],
    ids=["whole", "one_cpu", "named", "debugged"],
)
def test_who_runs_the_tests(tmp_path: Path, arguments: list[str], cpus: int, where: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text(TESTS)
    folder = str(Path(workers.__file__).parents[1])
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST.format(folder=folder, cpus=cpus))
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    found = tmp_path / "found"
    clean = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # all but xdist would be loaded for nothing
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "xdist", *arguments],
        cwd=tmp_path,
        env={**clean, "FOUND": str(found)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert found.read_text().startswith(where), found.read_text()
    if where == "gw":
        assert found.read_text().endswith(f"of {cpus}")
