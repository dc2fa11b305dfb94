"""Fixtures that every test may use. Collection needs no TensorFlow and no environment variable."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from support import published_cases, two_runs, workers

if TYPE_CHECKING:
    import numpy as np


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of two runs in a row."""
    two_runs.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run on all CPUs if nothing else was asked for; before xdist reads its options."""
    workers.share_whole_run(config)


def pytest_configure(config: pytest.Config) -> None:
    """Set what holds for the whole run.

    The oracle's small products are slower, not faster, on several threads of NumPy's BLAS, which
    reads the variable when NumPy is imported; so this file must not do that on its own. And a
    shell that starts a command in the background has it, and all its children, ignore Ctrl-C.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    two_runs.register(config)


def _isa_levels() -> list[str]:
    """The levels this host can run, best first."""
    try:
        from fastrnn import _core
    except ImportError:  # the tests that need it fail, the collection does not
        return ["not built"]
    return list(_core.isa_levels())


@pytest.fixture
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the test once on every ISA level of the host; see `pytest_generate_tests`."""
    from fastrnn import _core

    before = _core.isa()
    _core.set_isa(request.param)
    yield request.param
    _core.set_isa(before)


@pytest.fixture
def set_threads() -> Iterator[Callable[[int], None]]:
    """`fastrnn.set_num_threads`, undone after the test."""
    import fastrnn

    before = fastrnn.get_num_threads()
    yield fastrnn.set_num_threads
    fastrnn.set_num_threads(before)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator with a fixed seed, another one for every test function."""
    import numpy as np

    return np.random.default_rng(list(request.node.originalname.encode()))


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    """Real Keras on TensorFlow with one thread a kind, so that it leaves the cores to others.

    It runs eagerly: for a few small steps that takes a tenth of the time of making a graph of
    them. What is about graphs takes the fixture `keras_graphs`.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs are not ours to mend
        tensorflow = pytest.importorskip("tensorflow", exc_type=ImportError)
        with contextlib.suppress(RuntimeError):  # a test without this fixture has started it
            tensorflow.config.threading.set_intra_op_parallelism_threads(1)
            tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        tensorflow.config.run_functions_eagerly(True)
        keras = pytest.importorskip("keras", exc_type=ImportError)
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Keras was imported before with another backend")
    return keras


@pytest.fixture
def keras_graphs(keras: ModuleType) -> Iterator[ModuleType]:
    """Keras as its users run it: `fit` and others make a graph of TensorFlow's operations."""
    import tensorflow

    tensorflow.config.run_functions_eagerly(False)
    yield keras
    tensorflow.config.run_functions_eagerly(True)


@pytest.fixture(scope="session")
def imdb_folder() -> Path:
    """The folder of imdb.npz and imdb_word_index.json, $FASTRNN_DATA."""
    folder = os.environ.get("FASTRNN_DATA")
    if not folder:
        pytest.skip("$FASTRNN_DATA is not set: no real IMDB data")
    if not Path(folder, "imdb.npz").is_file():
        pytest.skip(f"$FASTRNN_DATA has no imdb.npz: {folder}")
    return Path(folder)


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    """The module cases.py of $FASTRNN_CASES: published expected outputs."""
    module = published_cases.load_module()
    if module is None:
        pytest.skip(published_cases.UNSET)
    return module


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs code in a new interpreter with the same fastrnn; variables that are None are removed."""
    import fastrnn

    package_parent = str(Path(fastrnn.__file__).parents[1])

    def run(code: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
        merged = {"PYTHONPATH": package_parent, **environment}
        kept = {name: value for name, value in os.environ.items() if name not in merged}
        kept.update({name: value for name, value in merged.items() if value is not None})
        return subprocess.run(
            [sys.executable, "-c", code], env=kept, capture_output=True, text=True, timeout=120
        )

    return run


def pytest_collection_finish() -> None:
    """Take thousands of collected tests out of what each garbage collection looks through."""
    gc.collect()
    gc.freeze()


WHOLE_RUN = 15_000  # tests; a folder has fewer
MANY_CASES = 30  # of one test


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a run of all tests, take the levels below the best in turn where a test has many cases.

    All levels are compiled of the same code. Who names files or folders gets every level.
    """
    _, *others = _isa_levels()
    if len(items) < WHOLE_RUN or len(others) < 2:
        return
    level_of = {
        item: item.callspec.params.get("isa") for item in items if hasattr(item, "callspec")
    }
    function_of = {item: item.nodeid.partition("[")[0] for item in level_of}
    cases = Counter(function_of.values())
    left_out = {
        item
        for item, level in level_of.items()
        if level in others
        and cases[function_of[item]] >= MANY_CASES
        and others[zlib.crc32(item.nodeid.replace(level, "").encode()) % len(others)] != level
    }
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse names that may differ from process to process: workers would collect other tests.

    Addresses differ, and so may bytes, such as those of a compressed file, which has its time.
    """
    if "\\x" in item.name or " at 0x" in item.name:
        raise pytest.UsageError(f"give the cases of this test `ids`: {item.nodeid}")


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parameters that depend on the host. The ISA level comes last and so changes fastest.

    Which Python runs does not depend on the level, so coverage, which takes as long as a test
    itself, looks at one level alone.
    """
    if "published_case" in metafunc.fixturenames:
        metafunc.parametrize("published_case", published_cases.parameters())
    if "isa" in metafunc.fixturenames:
        best, *others = _isa_levels()
        levels = [best, *(pytest.param(level, marks=pytest.mark.no_cover) for level in others)]
        metafunc.parametrize("isa", levels, indirect=True)
