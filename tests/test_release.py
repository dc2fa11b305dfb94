"""The version is the same wherever it stands; wheels are built for every Python allowed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import fastrnn
import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = None

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def pyproject() -> Any:
    if tomllib is None:
        pytest.skip("reads pyproject.toml with tomllib, which Python 3.10 lacks")
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def found(pattern: str, file: str) -> list[str]:
    return re.findall(pattern, (ROOT / file).read_text(), flags=re.MULTILINE)


def test_the_version_is_the_same_everywhere(pyproject: Any) -> None:
    version = pyproject["project"]["version"]
    assert fastrnn.__version__ == version
    assert found(r"^version: (.*)$", "CITATION.cff") == [version]
    released = found(r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", "CHANGELOG.md")
    assert released[:1] == [version], "the newest release of CHANGELOG.md"


def test_the_date_of_the_release_is_the_same() -> None:
    [date] = found(r"^date-released: (.*)$", "CITATION.cff")
    assert found(rf"^## \[{fastrnn.__version__}\] - (.*)$", "CHANGELOG.md") == [date]


def test_wheels_are_built_for_all_pythons_that_may_install(pyproject: Any) -> None:
    oldest = pyproject["project"]["requires-python"].removeprefix(">=").replace(".", "")
    wheels = pyproject["tool"]["cibuildwheel"]["build"].split()
    assert f"cp{oldest}-*" in wheels
    running = f"cp{sys.version_info.major}{sys.version_info.minor}-*"
    assert running in wheels, "the Python of these tests has no wheel"
