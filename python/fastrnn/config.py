"""Threads, ISA level, policy of dtypes, and what this build is."""

from __future__ import annotations

import operator
from typing import SupportsIndex

from fastrnn import _core
from fastrnn.dtype_policies import dtype_policy, set_dtype_policy

__all__ = [
    "dtype_policy",
    "get_config",
    "get_num_threads",
    "set_dtype_policy",
    "set_num_threads",
    "show_config",
]

# A wrong FASTRNN_ISA or FASTRNN_NUM_THREADS is refused now, not in the middle of a training.
_core.isa()
_core.num_threads()


def set_num_threads(n: SupportsIndex | None) -> None:
    """Sets how many threads the kernels use from the next call on.

    Results do not depend on it, to the last bit. Without a call the number is that of the
    environment variable `FASTRNN_NUM_THREADS`, else of `OMP_NUM_THREADS`, else the CPUs that the
    process may use (its affinity mask and its control group's CPU quota).

    A number that has been set for OpenMP from outside, as by `threadpoolctl.threadpool_limits`, is
    an upper limit. It holds for calls from the Python thread that has set it, and for forked
    children of that thread. The number that OpenMP would take by itself is not a limit.

    Args:
        n: a positive integer, or None for the environment's choice.

    Raises:
        TypeError: `n` is not an integer.
        ValueError: `n` is less than 1 or greater than 4096.

    Example:
        >>> import fastrnn
        >>> fastrnn.set_num_threads(2)
        >>> fastrnn.get_num_threads()
        2
        >>> fastrnn.set_num_threads(None)
    """
    if n is None:
        _core.set_num_threads(0)
        return
    count = operator.index(n)
    if not 1 <= count <= 4096:
        raise ValueError(f"`n` must be an integer in 1..4096 or None. Received: n={n}")
    _core.set_num_threads(count)


def get_num_threads() -> int:
    """Returns how many threads the kernels use for this thread. See `set_num_threads`.

    Returns:
        A positive integer.

    Example:
        >>> import fastrnn
        >>> fastrnn.get_num_threads() >= 1
        True
    """
    return _core.num_threads()


def get_config() -> dict[str, object]:
    """Returns what `show_config` prints, as a dict.

    Returns:
        A dict with the keys `version`, `compiler`, `isa` (the level that runs; the environment
        variable `FASTRNN_ISA` forces one), `isa_levels_usable` (those that this CPU can run, best
        first), `isa_levels_built`, `bfloat16` (what multiplies in mixed precision: "amx" or
        "avx512-bf16" where the CPU has it, else "emulated"), `threads`.

    Example:
        >>> import fastrnn
        >>> sorted(fastrnn.get_config())[:3]
        ['bfloat16', 'compiler', 'isa']
    """
    return {
        "version": _core.__version__,
        "compiler": _core.compiler,
        "isa": _core.isa(),
        "isa_levels_usable": _core.isa_levels(),
        "isa_levels_built": _core.isa_levels_built(),
        "bfloat16": _core.bfloat16_products(),
        "threads": _core.num_threads(),
    }


def show_config() -> None:
    """Prints version, compiler, ISA levels built and active, and the number of threads.

    Example:
        >>> import fastrnn
        >>> fastrnn.show_config()  # doctest: +ELLIPSIS
        version           ...
    """
    for key, value in get_config().items():
        text = ", ".join(value) if isinstance(value, list) else value
        print(f"{key:<18}{text}")
