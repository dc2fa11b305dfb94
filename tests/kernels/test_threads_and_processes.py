"""Thread counts, calls from several threads, forks, the caller's floating-point mode."""

from __future__ import annotations

import concurrent.futures
import ctypes
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.rnn_cells import CELLS, Cell, normal
from support.rnn_problems import VARIANTS, make_problem, run

cells = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)

PRINT_THREADS = "import fastrnn; print(fastrnn.get_num_threads())"


def run_cell(cell: Cell, seed: int, variant: str = "plain") -> dict[str, np.ndarray]:
    row = {"batch": 40, "steps": 12, "features": 9, "units": 33, **VARIANTS[variant]}
    return run(cell, make_problem(cell, row, np.random.default_rng(seed)))[0]


# --- Number of threads ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fastrnn_variable", "openmp_variable", "want"),
    [("3", "2", 3), (None, "2", 2), ("3", None, 3), ("1", "4", 1)],
)
def test_environment_sets_the_number_of_threads(
    fastrnn_variable: str | None,
    openmp_variable: str | None,
    want: int,
    run_python: Callable[..., Any],
) -> None:
    run = run_python(
        PRINT_THREADS, FASTRNN_NUM_THREADS=fastrnn_variable, OMP_NUM_THREADS=openmp_variable
    )
    assert run.stdout.strip() == str(want), run.stderr


def test_the_call_beats_the_environment(run_python: Callable[..., Any]) -> None:
    code = "import fastrnn; fastrnn.set_num_threads(2); print(fastrnn.get_num_threads())"
    run = run_python(code, FASTRNN_NUM_THREADS="3", OMP_NUM_THREADS="4")
    assert run.stdout.strip() == "2", run.stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity masks here")
def test_affinity_mask_limits_the_default(run_python: Callable[..., Any]) -> None:
    code = f"import os; os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}}); {PRINT_THREADS}"
    run = run_python(code, FASTRNN_NUM_THREADS=None, OMP_NUM_THREADS=None)
    assert run.stdout.strip() == "1", run.stderr


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity masks here")
def test_default_is_no_more_than_the_cpus_of_this_process(run_python: Callable[..., Any]) -> None:
    run = run_python(PRINT_THREADS, FASTRNN_NUM_THREADS=None, OMP_NUM_THREADS=None)
    assert 1 <= int(run.stdout) <= len(os.sched_getaffinity(0)), run.stderr


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_bad_number_in_the_environment(value: str, run_python: Callable[..., Any]) -> None:
    run = run_python(PRINT_THREADS, FASTRNN_NUM_THREADS=value)
    assert run.returncode != 0
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError:"), run.stderr
    assert "FASTRNN_NUM_THREADS" in last


@pytest.mark.parametrize("value", [0, -1, 1.5, "2", [2]])
def test_bad_number_in_the_call(value: Any, set_threads: Callable[[Any], None]) -> None:
    import fastrnn

    before = fastrnn.get_num_threads()
    with pytest.raises((ValueError, TypeError), match="integer"):
        set_threads(value)
    assert fastrnn.get_num_threads() == before


# --- Several threads, several processes -----------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_calls_from_several_python_threads(
    threads: int, set_threads: Callable[[int], None]
) -> None:
    set_threads(threads)
    jobs = [(cell, seed, way) for seed, way in enumerate(VARIANTS) for cell in CELLS]
    want = [run_cell(*job) for job in jobs]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda job: run_cell(*job), jobs))
    for a, b in zip(want, got, strict=True):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])


def _send_outputs(cell: Cell, connection: Any) -> None:
    connection.send(run_cell(cell, 5))
    connection.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.parametrize("threads", [1, 2])
@cells
def test_forked_child_runs_kernels(
    cell: Cell, threads: int, set_threads: Callable[[int], None]
) -> None:
    """The parent's worker threads do not live in the child; the child must not wait for them."""
    set_threads(threads)
    want = run_cell(cell, 5)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send_outputs, args=(cell, sender))
    child.start()
    sender.close()
    try:
        assert receiver.poll(60), "the forked child hangs"
        got = receiver.recv()
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()
        child.join()
    for name in want:
        np.testing.assert_array_equal(want[name], got[name])
    run_cell(cell, 5)  # and the parent still works


# --- Floating-point mode --------------------------------------------------------------------------


@cells
def test_denormals_of_the_caller_survive(cell: Cell, isa: str) -> None:
    """Kernels flush denormals to zero inside; NumPy afterwards must not."""
    tiny = np.full(64, 1e-40, np.float32)
    assert np.all(tiny * np.float32(0.5) != 0)
    run_cell(cell, 1)
    assert np.all(tiny * np.float32(0.5) != 0)
    assert 5e-324 * 1.0 != 0


class _Fenv(ctypes.Structure):
    """glibc's fenv_t on x86-64: 28 bytes of the x87 unit, then MXCSR."""

    _fields_ = (("x87", ctypes.c_uint8 * 28), ("mxcsr", ctypes.c_uint32))


FLUSH_TO_ZERO, DENORMALS_ARE_ZERO, ROUND_DOWN, EXCEPTION_FLAGS = 1 << 15, 1 << 6, 1 << 13, 0x3F


@pytest.mark.skipif(
    not (sys.platform == "linux" and platform.machine() == "x86_64"), reason="reads MXCSR by glibc"
)
@pytest.mark.parametrize("mode", [0, FLUSH_TO_ZERO | DENORMALS_ARE_ZERO, ROUND_DOWN], ids=hex)
@cells
def test_mxcsr_is_restored(cell: Cell, mode: int, isa: str) -> None:
    libm = ctypes.CDLL("libm.so.6")
    if not hasattr(libm, "fegetenv"):
        pytest.skip("no glibc")
    saved, during, after = _Fenv(), _Fenv(), _Fenv()
    libm.fegetenv(ctypes.byref(saved))
    libm.fegetenv(ctypes.byref(during))
    during.mxcsr |= mode
    rng = np.random.default_rng(0)
    x, weights = normal(rng, 5, 3, 4), cell.weights(rng, 4, 6)
    try:
        libm.fesetenv(ctypes.byref(during))
        output = cell.forward(x, *weights)
        cell.backward(output.tape, output.outputs)
        libm.fegetenv(ctypes.byref(after))
    finally:
        libm.fesetenv(ctypes.byref(saved))
    assert after.mxcsr & ~EXCEPTION_FLAGS == during.mxcsr & ~EXCEPTION_FLAGS


@cells
def test_exceptions_restore_the_mode_too(cell: Cell) -> None:
    tiny = np.full(64, 1e-40, np.float32)
    with pytest.raises(ValueError, match="x"):
        cell.forward(np.zeros((2, 0, 3), np.float32), *cell.weights(np.random.default_rng(0), 3, 4))
    assert np.all(tiny * np.float32(0.5) != 0)


@cells
def test_vanishing_gradients_end_in_zeros_not_denormals(cell: Cell, isa: str) -> None:
    """Gradients of a long, strongly contracting sequence underflow; flushed, they cost nothing."""
    rng = np.random.default_rng(3)
    kernel, recurrent_kernel, bias = cell.weights(rng, 3, 17)
    output = cell.forward(normal(rng, 4, 300, 3), kernel, 0.02 * recurrent_kernel, bias)
    d_x = cell.backward(output.tape, np.ones((4, 17), np.float32)).x
    tiny = np.finfo(np.float32).tiny
    assert not np.any((d_x != 0) & (np.abs(d_x) < tiny))
    assert np.any(d_x[:, -1])
