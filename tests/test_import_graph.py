"""Which module imports which: one way down through the layers of the package, in no circle.

Imports inside of functions count too, and so do those for the type checker alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Modules and folders right below `fastrnn`, from the top to the ground. A module imports from its
# own folder and from the rows below its own. A dotted name sets a module apart from its folder.
ROWS = (
    ("fastrnn",),
    ("interop", "keras", "sklearn", "distribution"),
    ("torch",),
    ("models",),
    ("export", "saving"),
    ("trainers",),
    ("callbacks",),
    ("graph",),
    ("layers",),
    ("metrics",),
    ("losses", "optimizers"),
    ("activations", "constraints", "initializers", "regularizers"),
    ("kernels",),
    ("datasets", "preprocessing"),
    ("utils",),
    ("backend",),
    ("ops",),
    ("symbolic",),
    (
        "differentiable",
        "files",
        "variable",
        "random",
        "config",
        "mixed_precision",
        "utils.registry",
        "parallel",
    ),
    (
        "arguments",
        "compatibility",
        "configurable",
        "docstrings",
        "dtype_policies",
        "naming",
        "tracing",
        "state",
        "utils.custom_objects",
    ),
    ("results", "table_gradient", "tensors"),
    ("_core",),
)
ROW_OF = {name: number for number, names in enumerate(ROWS) for name in names}

Graph = dict[str, set[str]]


def modules_below(folder: Path, prefix: str = "") -> dict[str, Path]:
    """Return the files of all modules of a folder by the names under which they are imported."""
    found = {}
    for path in folder.rglob("*.py"):
        parts = [*([prefix] if prefix else []), *path.relative_to(folder).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(source: str, known: set[str]) -> Iterator[str]:
    """Yield the modules, of those known, that a source imports at its top or in a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import hides where it leads"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else str(node.module) for name in whole]
        else:
            continue
        yield from (name for name in names if name in known)


def graph_of(modules: dict[str, Path], beside: tuple[str, ...] = ()) -> Graph:
    known = {*modules, *beside}
    return {name: set(imports_of(path.read_text(), known)) for name, path in modules.items()}


def row_of(module: str) -> int:
    """Return the row of a module: that of its own name, else that of its folder."""
    own = module.removeprefix("fastrnn.")
    return ROW_OF[own] if own in ROW_OF else ROW_OF[own.split(".")[0]]


def arrows_up(graph: Graph) -> list[str]:
    """Return the imports from a row above, or from another folder of the same row."""
    return [
        f"{module} imports {imported}"
        for module, those in sorted(graph.items())
        for imported in sorted(those)
        if row_of(module) > row_of(imported)
        or (row_of(module) == row_of(imported) and folder_of(module) != folder_of(imported))
    ]


def folder_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def circle_in(graph: Graph) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


FASTRNN = graph_of(modules_below(ROOT / "python" / "fastrnn", "fastrnn"), ("fastrnn._core",))
BENCH = graph_of(modules_below(ROOT / "bench"))


@pytest.mark.parametrize("graph", [FASTRNN, BENCH], ids=["fastrnn", "bench"])
def test_no_module_imports_itself_by_way_of_others(graph: Graph) -> None:
    assert sum(map(len, graph.values())) > len(graph)  # the imports were found at all
    assert circle_in(graph) == []


def test_imports_run_down_the_rows() -> None:
    assert arrows_up(FASTRNN) == []


def test_bench_imports_run_from_scripts_over_measure_to_comparison() -> None:
    rows = ["comparison", "measure"]

    def row(module: str) -> int:
        folder = module.split(".")[0]
        return rows.index(folder) if folder in rows else len(rows)  # a script

    assert {row(module) for module in BENCH} == {0, 1, 2}
    arrows = [(module, imported) for module, those in BENCH.items() for imported in those]
    assert [arrow for arrow in arrows if row(arrow[0]) < row(arrow[1])] == []


def test_every_folder_has_a_row() -> None:
    assert {module for module in FASTRNN if folder_of(module).split(".")[-1] not in ROW_OF} == set()


def test_the_package_itself_is_imported_by_nobody_below() -> None:
    assert [module for module, those in FASTRNN.items() if "fastrnn" in those] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import fastrnn.layers.lstm", ["fastrnn.layers.lstm"]),
        ("from fastrnn.layers import lstm", ["fastrnn.layers.lstm"]),
        ("from fastrnn.layers.lstm import LSTM", ["fastrnn.layers.lstm"]),
        ("def f():\n    from fastrnn import models", ["fastrnn.models"]),
        ("if TYPE_CHECKING:\n    from fastrnn.models import Model", ["fastrnn.models"]),
        ("import numpy\nfrom h5py import File", []),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, found: list[str]) -> None:
    known = {"fastrnn", "fastrnn.layers", "fastrnn.layers.lstm", "fastrnn.models"}
    assert list(imports_of(source, known)) == found


def test_circles_and_arrows_up_are_found() -> None:
    good = {"fastrnn.models.model": {"fastrnn.saving.api"}, "fastrnn.saving.api": set()}
    assert circle_in(good) == [] == arrows_up(good)
    bad = good | {"fastrnn.saving.api": {"fastrnn.models.model"}}
    assert set(circle_in(bad)) == set(bad)
    assert arrows_up(bad) == ["fastrnn.saving.api imports fastrnn.models.model"]
    assert arrows_up({"fastrnn.losses.loss": {"fastrnn.optimizers"}}) != []
