"""`import fastrnn` is light, and the package is complete once it is installed."""

from __future__ import annotations

import ast
import importlib.metadata
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAVY = (
    "absl",
    "h5py",
    "jax",
    "keras",
    "matplotlib",
    "mpi4py",
    "pandas",
    "scipy",
    "sklearn",
    "tensorflow",
    "torch",
    "tqdm",
)

SUBMODULES = (
    "fastrnn.callbacks",
    "fastrnn.datasets.imdb",
    "fastrnn.layers",
    "fastrnn.losses",
    "fastrnn.metrics",
    "fastrnn.models",
    "fastrnn.kernels",
    "fastrnn.optimizers",
    "fastrnn.preprocessing.sequence",
    "fastrnn.preprocessing.text",
    "fastrnn.utils",
)


@pytest.mark.installed
def test_import_loads_nothing_heavy(run_python: Callable[..., Any]) -> None:
    """One process for all: whichever module is the first to load something is named."""
    modules = ("fastrnn", *SUBMODULES)
    run = run_python(
        f"import sys\nfor name in {modules!r}:\n"
        f"    __import__(name); print(name, *sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n") == [*modules, ""]
    assert run.stderr == ""


def test_import_of_the_package_brings_its_submodules(run_python: Callable[..., Any]) -> None:
    """A tf.keras script writes `fastrnn.layers.LSTM` after `import fastrnn`, nothing more."""
    run = run_python("import fastrnn\n" + "\n".join(SUBMODULES))
    assert run.returncode == 0, run.stderr


def package_file(name: str) -> Path:
    import fastrnn

    return Path(fastrnn.__file__).with_name(name)


@pytest.mark.parametrize("name", ["py.typed", "_core.pyi"])
def test_typing_files_are_installed(name: str) -> None:
    assert package_file(name).is_file()


def test_stub_tells_what_the_native_module_has() -> None:
    from fastrnn import _core

    tree = ast.parse(package_file("_core.pyi").read_text())
    stubbed = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            stubbed.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            stubbed.add(node.target.id)
    public = {name for name in dir(_core) if not name.startswith("_")}
    assert public == {name for name in stubbed if not name.startswith("_")}


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="not a free-threaded Python"
)
def test_a_free_threaded_python_keeps_its_gil_off(run_python: Callable[..., Any]) -> None:
    run = run_python("import sys, fastrnn; print(sys._is_gil_enabled())", PYTHON_GIL=None)
    assert run.stdout.strip() == "False", run.stderr


def test_version_is_that_of_the_distribution() -> None:
    import fastrnn

    try:
        installed = importlib.metadata.version("fastrnn")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("fastrnn runs from its source tree and is not installed")
    assert fastrnn.__version__ == installed
