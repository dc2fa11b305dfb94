"""Two runs of the tests of which the second leaves out what passed in the first.

`pytest --passed-into=FILE` writes down which tests passed. After Keras and other libraries have
been installed, `pytest --but-passed-in=FILE` runs everything else: what was skipped, what failed,
and tests that were not there before. Tests marked `installed` look at what is installed and run
again. So do all if a library that every test stands on has changed in between, and those of some
files if theirs has: to install TensorFlow takes h5py back to an older version.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

# Each library, and where the tests that stand on it begin.
FOUNDATIONS = dict.fromkeys(("fastrnn", "numpy", "tqdm", "hypothesis", "pytest"), ("",))
FOUNDATIONS["h5py"] = (
    "tests/callbacks/test_callbacks",
    "tests/fuzz/",
    "tests/saving/",
    "tests/trust/test_files",
)


def foundations() -> dict[str, str]:
    """Return the versions of what tests stand on."""
    found = {}
    for name in FOUNDATIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # fastrnn runs from its source tree
            found[name] = ""
    return found


class TwoRuns:
    """The plugin of both runs."""

    def __init__(self, into: str | None, but: str | None) -> None:
        self.into = into
        self.passed: set[str] = set()
        self.others: set[str] = set()  # skipped or failed in this run, in any phase
        self.before: set[str] = set()
        self.changed: list[str] = []
        if but is not None and Path(but).exists():  # else the first run broke off
            first = json.loads(Path(but).read_text())
            self.before = set(first["passed"])
            now = foundations()
            self.changed = [name for name in now if now[name] != first["foundations"][name]]

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what passed, on every worker of xdist alike."""
        again = tuple(start for name in self.changed for start in FOUNDATIONS[name])
        done = [
            item
            for item in items
            if item.nodeid in self.before
            and item.get_closest_marker("installed") is None
            and not item.nodeid.startswith(again)
        ]
        config.hook.pytest_deselected(items=done)
        left_out = set(map(id, done))
        items[:] = [item for item in items if id(item) not in left_out]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test's outcome; a failure of its setup or teardown is one too."""
        if report.outcome != "passed":
            self.others.add(report.nodeid)
        elif report.when == "call":
            self.passed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write down what passed."""
        self.passed -= self.others
        if self.into is not None:
            record = {"foundations": foundations(), "passed": sorted(self.passed)}
            Path(self.into).write_text(json.dumps(record))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what both runs come to: each test counts once."""
        if not self.before:
            return
        write = terminalreporter.write_line
        if self.changed:
            write(
                f"What stands on these ran again, as they have changed: {', '.join(self.changed)}"
            )
        either = (self.before - self.others) | self.passed
        neither = self.others - either
        write(
            f"Both runs together: {len(either)} tests passed ({len(self.before)} in the first, "
            f"{len(either - self.before)} only in this one), {len(neither)} failed or were skipped"
        )


def add_options(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("two runs")
    group.addoption("--passed-into", metavar="FILE", help="write down which tests passed")
    group.addoption("--but-passed-in", metavar="FILE", help="leave out what passed in that run")


def register(config: pytest.Config) -> None:
    """Act on the options. Workers of xdist have them too, but only their controller writes."""
    into, but = config.getoption("--passed-into"), config.getoption("--but-passed-in")
    if hasattr(config, "workerinput"):
        into = None
    if into is not None or but is not None:
        config.pluginmanager.register(TwoRuns(into, but), "two runs")
