"""The beginning of a job: which process this is, and that all are alike."""

from __future__ import annotations

import atexit
import os
import platform
import sys
import time
import traceback
import warnings
from types import TracebackType
from typing import Any

import numpy as np

from fastrnn import _core, random
from fastrnn.arguments import is_integer
from fastrnn.config import get_num_threads, set_num_threads
from fastrnn.parallel import Job, RankError, Ranks

_SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")  # of MPICH and its kin, and of Open MPI
_THREADS = ("FASTRNN_NUM_THREADS", "OMP_NUM_THREADS")

_COURTESY, _FORWARDING = 2.0, 0.5  # seconds

_ranks: Ranks | None = None


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
) -> None:
    """Join the processes that `mpiexec` has started; call it before layers are made.

    It compares the ranks: they need the same versions of fastrnn and NumPy. If their CPUs run
    different ISA levels, all take the lowest of them, with a warning. It gives all ranks the random
    numbers of rank 0, so that weights start equal also without `set_random_seed`. Ranks on one
    machine share its cores, unless `FASTRNN_NUM_THREADS` or `OMP_NUM_THREADS` says how many threads
    each may use. From here on an exception that nobody catches ends the processes of all ranks.

    In a program that was not started by `mpiexec` there is one rank, and nothing changes.

    Args:
        job_addresses: Accepted for Keras's sake; MPI knows the addresses. By default
            `KERAS_DISTRIBUTION_JOB_ADDRESSES`.
        num_processes: Checked against the number of ranks, if given. By default
            `KERAS_DISTRIBUTION_NUM_PROCESSES`.
        process_id: Checked against the rank of this process, if given. By default
            `KERAS_DISTRIBUTION_PROCESS_ID`.

    Raises:
        ImportError: If mpi4py is not installed: `pip install "fastrnn[mpi]"`.
        ValueError: If the ranks are not alike, or an argument is not what MPI says.

    Example:
        >>> from fastrnn import distribution
        >>> distribution.initialize()  # doctest: +SKIP
        >>> distribution.set_distribution(distribution.DataParallel())  # doctest: +SKIP
    """
    global _ranks
    if _ranks is None:
        made = _mpi_ranks()
        _compare(made)
        random.set_state(made.gather(random.get_state())[0])
        _ranks = made
    own = {"num_processes": _ranks.size, "process_id": _ranks.rank}
    for (name, value), given in zip(own.items(), (num_processes, process_id), strict=True):
        variable = f"KERAS_DISTRIBUTION_{name.upper()}"
        said: Any = os.environ.get(variable) if given is None else given
        if said is not None and not _is_number(said, value):
            raise ValueError(
                f"`{name}` (or {variable}) must be what MPI says, {value}. Received: {said!r}"
            )


def ranks() -> Ranks:
    """Return the ranks of the job; one, if `initialize` has not been called."""
    return Ranks() if _ranks is None else _ranks


def check_initialized() -> None:
    """Refuse to go on alone in one of several processes.

    Raises:
        ValueError: If `mpiexec` has started several processes, and `initialize` was not called.
    """
    if _ranks is not None:
        return
    for variable in _SIZES:
        if os.environ.get(variable, "1") not in ("", "1"):
            raise ValueError(
                f"This is one of {os.environ[variable]} processes, as {variable} says: call "
                "`fastrnn.distribution.initialize()` first, before layers are made."
            )


def _mpi_ranks() -> Ranks:
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ImportError(
            'Training in several processes needs mpi4py and an MPI: pip install "fastrnn[mpi]"'
        ) from error
    from fastrnn.distribution.mpi import MpiRanks

    made = MpiRanks(MPI)
    if made.size > 1:
        _end_together(MPI, made)
        on_node = MPI.COMM_WORLD.Split_type(MPI.COMM_TYPE_SHARED).Get_size()
        if not any(os.environ.get(name) for name in _THREADS):
            set_num_threads(max(get_num_threads() // on_node, 1))
    return made


def _end_together(mpi: Any, made: Any) -> None:
    """Let an exception that nobody catches end all ranks, and say when this program ends."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, RankError):
            time.sleep(_COURTESY)  # the rank with the cause prints first, and ends this one
        print(f"Rank {made.rank} of {made.size} ends all ranks:", file=sys.stderr)
        try:
            before(kind, error, trace)
        except Exception:
            traceback.print_exception(error)
        sys.stdout.flush()
        sys.stderr.flush()
        time.sleep(_FORWARDING)  # `mpiexec` drops what it has not forwarded when it ends a job
        mpi.COMM_WORLD.Abort(1)

    sys.excepthook = hook
    atexit.register(made.leave)


def _compare(made: Ranks) -> None:
    """Refuse ranks of different versions; bring them to one ISA level.

    Raises:
        ValueError: On all ranks, if they are not alike.
    """
    if made.size == 1:
        return
    Job(made, 1).check_equal(
        "The software",
        {
            "the version of fastrnn": _core.__version__,
            "the version of NumPy": np.__version__,
            "the byte order": sys.byteorder,
        },
    )
    about = {
        "isa": _core.isa(),
        "usable": _core.isa_levels(),
        "Python": platform.python_version(),
        "CPU features for NumPy": _numpy_features(),
    }
    found = made.gather(about)
    levels = {each["isa"] for each in found}
    if len(levels) > 1:
        order = _core.isa_levels_built()  # best first
        lowest = max(levels, key=order.index)
        if not all(lowest in each["usable"] for each in found):
            raise ValueError(
                "The ranks must have an ISA level in common. "
                f"Received: {[each['usable'] for each in found]}"
            )
        _core.set_isa(lowest)
        _warn(made, f"The CPUs of the ranks differ: all compute with the ISA level '{lowest}'.")
    for name in ("Python", "CPU features for NumPy"):
        if any(each[name] != found[0][name] for each in found):
            made.differ = True
            _warn(made, f"The ranks differ in {name}: results may differ in their last bits.")


def _numpy_features() -> list[str]:
    """Return which instructions NumPy uses, as far as it tells."""
    umath = getattr(getattr(np, "_core", None), "_multiarray_umath", None)
    features = getattr(umath, "__cpu_features__", {})
    return sorted(name for name, has in features.items() if has)


def _warn(made: Ranks, text: str) -> None:
    if made.rank == 0:
        warnings.warn(text, stacklevel=4)


def _is_number(given: Any, value: int) -> bool:
    if isinstance(given, str):
        return given.strip() == str(value)
    return is_integer(given) and int(given) == value
