"""Programs on several ranks, started by `mpiexec` over loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATHS = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
MPIEXEC = shutil.which("mpiexec", path=os.pathsep.join(PATHS))

needs_mpi = pytest.mark.skipif(
    MPIEXEC is None or find_spec("mpi4py") is None,
    reason='needs mpi4py and an MPI with mpiexec: pip install "fastrnn[mpi]"',
)


def run_ranks(
    ranks: int, *command: str, timeout: float = 120.0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `python *command` on so many ranks of one thread; return what came out."""
    assert MPIEXEC is not None
    path = os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "FASTRNN_NUM_THREADS": "1", "PYTHONPATH": path, **variables}
    return subprocess.run(
        [MPIEXEC, "-n", str(ranks), sys.executable, *_measured(), *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_script(
    ranks: int, script: str, timeout: float = 120.0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the text of a program on so many ranks."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "script.py")
        file.write_text(script)
        return run_ranks(ranks, str(file), timeout=timeout, **variables)


def _measured() -> list[str]:
    """Return what lets ranks note which branches they take, if the tests of this run do."""
    if "coverage" not in sys.modules or sys.modules["coverage"].Coverage.current() is None:
        return []
    # pytest-cov adds the files of all processes to its own.
    return ["-m", "coverage", "run", "--parallel-mode", f"--rcfile={ROOT / 'pyproject.toml'}"]
