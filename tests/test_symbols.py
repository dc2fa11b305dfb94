"""The ODR guard: the kernels' objects export one symbol each, nothing that a linker could share.

`table.cpp` is compiled once per ISA level. An inline function that one of these objects offered as
a weak symbol could be picked for all of them, and AVX would then run on a CPU without AVX.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def find_tool(*names: str) -> str:
    """The first of the programs that runs; skips the test if none does."""
    beside_python = str(Path(sys.executable).parent)
    for name in names:
        for tool in (shutil.which(name, path=beside_python), shutil.which(name)):
            if tool and subprocess.run([tool, "--version"], capture_output=True).returncode == 0:
                return tool
    pytest.skip(f"needs {' or '.join(names)}")


def shared_symbols(nm: str, objects: list[Path]) -> set[str]:
    """Defined symbols that other objects can see, as "type name".

    Left are the local ones: text, data, bss, read-only data, absolute, debugging.
    """
    command = [nm, "--defined-only", "--format=posix", *map(str, objects)]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^(\S+) (\S)(?: |$)", listing, flags=re.MULTILINE)
    return {f"{kind} {name}" for name, kind in found if kind not in "tdbranN"}


def objects_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".o", ".obj"))


def objects_by_level(build: Path) -> dict[str, list[Path]]:
    folders = build.rglob("fastrnn_kernels_*.dir")
    return {folder.name[len("fastrnn_kernels_") : -4]: objects_of(folder) for folder in folders}


def built() -> dict[str, list[Path]] | None:
    """What `pip install .` has compiled of the sources as they are, if it has, to its end."""
    sources = [ROOT / "CMakeLists.txt", *(ROOT / "cpp").rglob("*.*")]
    for module in ROOT.glob("build/*/_core*.so"):
        settings = (module.parent / "CMakeCache.txt").read_text().splitlines()
        for_users = {"CMAKE_BUILD_TYPE:STRING=Release", "FASTRNN_SANITIZE:STRING="} <= set(settings)
        levels = objects_by_level(module.parent)
        made_of = [*sources, *objects_of(module.parent)]
        finished = max(path.stat().st_mtime for path in made_of) <= module.stat().st_mtime
        if for_users and finished and levels and all(levels.values()):
            return levels
    return None


@pytest.fixture(scope="module")
def kernel_objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """ISA level -> its object files, built with the flags of CMakeLists.txt."""
    if not (ROOT / "CMakeLists.txt").is_file():
        pytest.skip("the sources are not here")
    return built() or objects_by_level(build_kernels(tmp_path_factory.mktemp("kernels")))


def build_kernels(build: Path) -> Path:
    """Compile the kernels alone, which takes more than a minute."""
    cmake = find_tool("cmake")
    find_tool("c++", "g++", "clang++")
    configure = [cmake, "-S", str(ROOT), "-B", str(build)]
    configure += ["-DFASTRNN_KERNELS_ONLY=ON", "-DCMAKE_BUILD_TYPE=Release"]
    for command in (configure, [cmake, "--build", str(build), "--parallel", "2"]):
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return build


def test_every_level_is_built(kernel_objects: dict[str, list[Path]]) -> None:
    from fastrnn import _core

    assert set(_core.isa_levels()) <= set(kernel_objects)
    assert all(len(objects) == 1 for objects in kernel_objects.values()), kernel_objects


def test_each_level_exports_its_table_and_nothing_else(
    kernel_objects: dict[str, list[Path]],
) -> None:
    nm = find_tool("nm", "llvm-nm")
    for isa, objects in kernel_objects.items():
        symbols = shared_symbols(nm, objects)
        assert len(symbols) == 1, f"{isa}: {sorted(symbols)}"
        # Demangled or not, data or function, the name ends in the level's.
        assert re.search(rf"kernel_table_{isa}", symbols.pop()), isa


def test_the_guard_sees_a_leak(tmp_path: Path) -> None:
    """The same check on a unit that leaks a weak function, a global one and a weak variable."""
    compiler, nm = find_tool("c++", "g++", "clang++"), find_tool("nm", "llvm-nm")
    source, target = tmp_path / "leak.cpp", tmp_path / "leak.o"
    source.write_text(
        "inline int leaked_inline(int x) { return x * 3; }\n"
        "template <class T> T leaked_template(T x) { return x + x; }\n"
        "inline int leaked_variable = 4;\n"
        "int leaked_global(int x) { return x - 1; }\n"
        "static int local(int x) { return x ^ 5; }\n"
        "namespace { int hidden(int x) { return x | 6; } int hidden_data = 7; }\n"
        "extern int elsewhere(int);\n"
        "int (*volatile keep[])(int) = {leaked_inline, leaked_template<int>,\n"
        "                               local, hidden, elsewhere};\n"
        "int kernel_table_test() { return ++hidden_data + ++leaked_variable; }\n"
    )
    subprocess.run([compiler, "-std=c++17", "-O1", "-c", source, "-o", target], check=True)
    seen = " ".join(shared_symbols(nm, objects_of(tmp_path)))
    for leaked in (
        "leaked_inline",
        "leaked_template",
        "leaked_variable",
        "leaked_global",
        "kernel_table",
    ):
        assert leaked in seen
    for unseen in ("local", "hidden", "elsewhere"):
        assert unseen not in seen
