"""Runs clang-tidy over cpp/, with the checks of `.clang-tidy`.

python tools/clang_tidy.py [file ...]

The kernels are read as one ISA level compiles them: the levels differ in flags, not in code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "tidy"
LEVEL = "avx2" if os.uname().machine == "x86_64" else "neon"


def output_of(*command: object) -> str:
    """Return what a command prints; its end is ours if it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def commands() -> list[Path]:
    """Write how each file is compiled for clang-tidy to read, and return the files."""
    output_of(
        *("cmake", "-S", ROOT, "-B", BUILD, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"),
        f"-DPython_EXECUTABLE={sys.executable}",
    )
    database = BUILD / "compile_commands.json"
    kept = [
        entry
        for entry in json.loads(database.read_text())
        if "FASTRNN_ISA=" not in entry["command"] or f"FASTRNN_ISA={LEVEL} " in entry["command"]
    ]
    for entry in kept:
        # Flags of GCC that clang would only warn of.
        for flag in ("-flto=auto", "-fno-fat-lto-objects"):
            entry["command"] = entry["command"].replace(f" {flag}", "")
    database.write_text(json.dumps(kept))
    return [Path(entry["file"]) for entry in kept]


def check(file: Path, openmp: str) -> tuple[int, str]:
    """Check one file; return clang-tidy's exit code and what it says."""
    done = subprocess.run(
        ["clang-tidy", "-p", BUILD, "--quiet", f"--extra-arg=-idirafter{openmp}", file],
        capture_output=True,
        text=True,
    )
    # On stderr it counts warnings of the headers of others, which it does not show.
    return done.returncode, done.stdout if done.stdout else done.stderr * bool(done.returncode)


def main() -> None:
    """Check all files, or those that are named."""
    named = {Path(name).resolve() for name in sys.argv[1:]}
    files = [file for file in commands() if not named or file in named]
    # omp.h, which the compiler of the package brings and clang-tidy does not.
    openmp = output_of("c++", "-print-file-name=include").strip()
    failed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for code, text in pool.map(lambda file: check(file, openmp), files):
            failed |= bool(code)
            print(text, end="", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
