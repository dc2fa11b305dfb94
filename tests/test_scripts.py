"""Models of public scripts, with only their imports changed: those that are known to run still do.

`$FASTRNN_SCRIPTS` names a folder with `run.py`, whose `cases()` yields id, title and code of each
script, and whose `to_fastrnn` changes the imports. `$FASTRNN_SCRIPTS_MORE=1` tries the others too,
and tells which of them run by now.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = os.environ.get("FASTRNN_SCRIPTS", "")

# Of the others, R03, R11, P05 and P15 need functions, layers and models of the user's own that can
# be differentiated, Q25 PReLU, and R19 imports a private module.
SUPPORTED = " ".join(
    [
        "Q01 Q03 Q05 Q07 Q09 Q11 Q13 Q15 Q17 Q19 Q21 Q23 Q27 Q29 Q31 Q33 Q35 Q37",
        "Q39 Q41 Q43 Q45 Q47 Q49",
        "R01 R05 R07 R09 R13 R15 R17 R21 R23 R25 R27 R29 R31 R33",
        "P01 P03 P07 P09 P11 P13 P17 P19 P21 P23 P25 P27 P29 P31 P33 P35 P37",
    ]
).split()


def runner() -> ModuleType | None:
    path = Path(FOLDER) / "run.py"
    if not FOLDER or not path.exists():
        return None
    spec = importlib.util.spec_from_file_location("scripts_runner", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUNNER = runner()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # it leaves closing files to Python
    CASES = {} if RUNNER is None else {case: code for case, _, code in RUNNER.cases()}
pytestmark = pytest.mark.skipif(
    RUNNER is None, reason="$FASTRNN_SCRIPTS names no folder of scripts"
)


def error_of(case: str, folder: Path) -> str:
    """Run a script in a process of its own; return the last line of its error, empty for none."""
    assert RUNNER is not None
    (folder / "run").mkdir()
    script = folder / "script.py"
    script.write_text(RUNNER.HELP + RUNNER.to_fastrnn(CASES[case]))
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("case", SUPPORTED)
def test_a_script_runs_with_its_imports_changed(case: str, tmp_path: Path) -> None:
    assert case in CASES, "the scripts are others"
    error = error_of(case, tmp_path)
    missing = re.search(r"No module named '(\w+)'", error)
    if missing and missing[1] not in ("fastrnn", "h5py", "tqdm", "tensorboardX"):
        pytest.skip(f"the script imports {missing[1]}, which is not installed")
    assert error == ""


@pytest.mark.skipif(
    not os.environ.get("FASTRNN_SCRIPTS_MORE"), reason="$FASTRNN_SCRIPTS_MORE is not set"
)
def test_no_other_script_runs_by_now(tmp_path: Path) -> None:
    """Else it belongs into `SUPPORTED`."""
    runs = []
    for case in CASES.keys() - set(SUPPORTED):
        folder = tmp_path / case
        folder.mkdir()
        if not error_of(case, folder):
            runs.append(case)
    assert runs == []
